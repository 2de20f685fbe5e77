"""What Jinja in transformers makes of the edges of each part of a template, one JSON object a line: {"part", "source", "text": null where it is
refused}. The first line has the variables.

    python golden/jinja_edges.py --out golden/jinja_edges.jsonl
"""
import argparse
import json
import re
from pathlib import Path

from jinja_cases import VARIABLES
from transformers.utils.chat_template_utils import _compile_jinja_template

# By part; a line with tags is a template (\n is Jinja's own, within texts), others are expressions with ;; between two.
PARTS = {
    "members": r"""
{% set f = 'a'.upper %}{{ f() }}
{% set ns = namespace(pop=5) %}{{ ns.pop }}
{% set ns = namespace(clear=1, update=2) %}{{ ns.clear }}{{ ns['update'] }}{{ ns.items is defined }}{{ ns[0] is defined }}
n[0] is defined ;; nil[0] is defined ;; x[0] is defined ;; yes[0] is defined ;; raise_exception[0] is defined ;; namespace(a=1)[0] is defined ;; map[0] is defined ;; map[nil] is defined ;; map['k'].upper() ;; {'pop': 5}['pop'] ;; {'clear': 5}['clear'] ;; map['get'] is callable ;; map['get'] is defined ;; {'a': nil}['a'] is none
'👍🎉'[1] ;; '👍🎉'[0] ;; '👍🎉'[-1] ;; '👍🎉'[2] is defined ;; 'a'['upper'] is callable ;; 'a'.nosuch is defined ;; 'a'[1.0] is defined ;; n.real ;; n.nosuch is defined ;; nil.strip is defined ;; many['count'] is callable ;; many.append is defined ;; (1, 2).index is callable ;; (1, 2).copy is defined ;; x.hex is defined ;; yes.real is defined
many | map(attribute=nil) | join ;; many | map(attribute=2.5) | join ;; [{'a0': 1}] | map(attribute='a0') | join ;; [{'0a': 1}] | map(attribute='0a') | join ;; [['a','b','c','d','e','f','g','h','i','j','k']] | map(attribute='10') | join ;; [[1, 2], [3, 4]] | map(attribute=1) | join ;; [[1, 2], [3, 4]] | map(attribute='1') | join ;; [{}] | map(attribute='a.b') | list ;; [{}] | map(attribute='a') | list | length ;; [{'items': 5}] | map(attribute='items') | join ;; [{'a': {'b': 7}}] | map(attribute='a.b') | join ;; [{'a': [7, 8]}] | map(attribute='a.1') | join ;; ['ab'] | map(attribute=1) | join ;; [5] | map(attribute='real') | list | length ;; [{'10': 5}] | map(attribute='10') | join
many | sort(attribute=yes) | join ;; many | map(attribute=[1]) | list | length
""",
    "values": r"""
'a-b'.partition('-') == ['a', '-', 'b'] ;; 'a-b'.partition('-') == ('a', '-', 'b') ;; ('a-b'.partition('-')) | length ;; many | sort(attribute=nothing) | join ;; many | join('', nothing) ;; [1] | tojson(indent=nothing) ;; [1, 2] | tojson(separators=nothing) ;; [1, 2, 3] | batch(2, nothing) | map('join', '.') | join(',') ;; [1, 2] | sum(nothing) ;; many | unique(attribute=nothing) | join ;; messages | map(attribute='x', default=nothing) | join(',') ;; many | join(',', nil) ;; messages | map(attribute='x', default=nil) | join(',')
{{ nothing }}{{ nil }}{{ yes }}{{ no }}{{ 5 }}{{ 5.0 }}{{ 'a' }}
{% set a = nothing %}{{ a }}.{% set b = nil %}{{ b }}.
""",
    "tests": r"""
nothing is callable ;; raise_exception is callable ;; 'a' is callable ;; nil is callable ;; 'a' is even ;; 'a' is odd ;; nil is odd ;; 2.0 is even ;; 2.5 is even ;; 2.5 is odd ;; 3.0 is odd ;; -3 is odd ;; -4 is even ;; -3 is even ;; yes is odd ;; no is even ;; -1 is odd ;; 0 is odd ;; 0 is even
0 is false ;; no is false ;; yes is false ;; 1 is true ;; yes is true ;; no is true ;; 'a' is true ;; nil is false ;; '' is false ;; 'True' is true ;; 1.0 is true ;; nothing is false
namespace(a=1) is iterable ;; namespace(a=1) is sequence ;; namespace(a=1) is mapping ;; raise_exception is iterable ;; raise_exception is sequence ;; 5 is iterable ;; 5.5 is sequence ;; yes is sequence ;; nil is sequence ;; many is sequence ;; map is iterable ;; '' is iterable ;; (1, 2) is sequence ;; nothing is sequence ;; nothing is iterable
1 is lt 2 ;; 2 is lt 2 ;; 3 is lt 2 ;; 1 is lessthan 2 ;; 2 is lessthan 2 ;; 1 is le 2 ;; 2 is le 2 ;; 3 is le 2 ;; 1 is gt 2 ;; 2 is gt 2 ;; 3 is gt 2 ;; 2 is greaterthan 2 ;; 3 is greaterthan 2 ;; 1 is ge 2 ;; 2 is ge 2 ;; 3 is ge 2 ;; 'a' is lt 'b' ;; 'b' is lt 'b' ;; 'b' is le 'b' ;; 1 is eq 1 ;; 1 is ne 1 ;; 1 is equalto 2 ;; 2 is ne 1
[1, 2, 3] | select('<', 2) | join ;; [1, 2, 3] | select('<=', 2) | join ;; [1, 2, 3] | select('>', 2) | join ;; [1, 2, 3] | select('>=', 2) | join ;; [1, 2, 3] | select('==', 2) | join ;; [1, 2, 3] | select('!=', 2) | join ;; [1, 2, 3] | select('in', [2]) | join ;; [1, 2, 3] | reject('divisibleby', 3) | join
4 is divisibleby 0 ;; 4 is divisibleby 3 ;; 4 is divisibleby 2 ;; -4 is divisibleby 2 ;; 4 is divisibleby(2) ;; 'a' is divisibleby 2 ;; 4 is divisibleby 'a' ;; 4.5 is divisibleby 1.5 ;; yes is divisibleby 1 ;; 4 is divisibleby nil
yes is sameas yes ;; yes is sameas no ;; yes is sameas 1 ;; 1 is sameas yes ;; 1 is sameas no ;; nil is sameas nil ;; nil is sameas no ;; no is sameas nil ;; '' is sameas nil ;; nil is sameas '' ;; 1 is sameas 1 ;; nothing is sameas nothing ;; nothing is sameas nil ;; map is sameas map ;; 'a' is sameas nil ;; 1.5 is sameas yes ;; no is sameas no ;; 0 is sameas no
'a' is in 'abc' ;; 'x' is in many ;; 'b' is in many ;; 'k' is in map ;; 1 is in 5 ;; 'a' is not in many ;; n is integer ;; n is float ;; x is float ;; x is integer ;; yes is integer ;; yes is float ;; yes is number ;; nil is number ;; 'a' is string ;; 5 is string ;; nil is none ;; 0 is none ;; yes is boolean ;; 1 is boolean ;; nothing is undefined ;; nil is undefined
'abc' is lower ;; 'aBc' is lower ;; 'ABC' is upper ;; 5 is upper ;; many is lower ;; 'a' is lower(1) ;; 'a' is eq('a', 'b') ;; 'a' is eq(nosuch='b') ;; 1 is eq(other=1) ;; 4 is divisibleby(num=2) ;; 'a' is in(seq='abc') ;; no is sameas(other=no) ;; 4 is divisibleby(other=2) ;; 1 is lt(b=2) ;; 'a' is filter ;; 'a' is escaped ;; ('a' | e) is escaped
""",
    "texts": r"""
' a ' | string | length ;; ' a ' | string(1) ;; 'a' | upper(1) ;; 'a' | lower(1) ;; 'a' | capitalize(1) ;; 'a' | title(1) ;; 'a' | wordcount(1) ;; 'a b' | wordcount ;; 'a-b c_d' | wordcount ;; '' | wordcount ;; 5 | wordcount ;; 'é ü' | wordcount ;; nil | wordcount ;; 'a' | center(width=9) ~ '.' ;; 'a' | center('x') ;; 'a' | center(2.5) ;; 'a' | center | length ;; 'a' | center(0) ;; 'a' | center(yes) ;; 'ab' | center(5) ~ '.' ;; 'abc' | center(6) ~ '.' ;; 'a' | center(nil) ;; 'a' | center(-3) ;; 'a' | center(5, 1) ;; 5 | center(3) ;; nil | center(6)
'a' | replace('a', 'b', 'x') ;; 'a-b-c' | replace('-', '+', 2) ;; 'aaa' | replace('a', 'b', 9) ;; 'aaa' | replace('a', 'b', yes) ;; 'a' | replace('a', 'b', 2.0) ;; '' | replace('', 'x') ;; 'ab' | replace('', 'x', 2) ;; 'ab' | replace('', 'x', 3) ;; 'ab' | replace('', 'x', 9) ;; 'a' | replace('a', 'b', 1, 2) ;; 'aNonea' | replace(nil, 'x') ;; '1.5' | replace(1.5, 2)
'a\nb' | indent('>>') ;; 'a\nb' | indent('>>', yes) ;; 'a\n\nb' | indent(1, no, yes) ;; 'a\n\nb' | indent(1, blank=yes) ;; 'a\n' | indent(2) ~ '.' ;; '\na' | indent(2) ~ '.' ;; '\na' | indent(2, yes) ~ '.' ;; '\na' | indent(2, yes, yes) ~ '.' ;; '' | indent(2, yes) ~ '.' ;; 'a\r\nb' | indent(2) ;; 'a' | indent(1, 2, 3, 4) ;; 'a' | indent(2.5) ;; 'a\nb' | indent(-1) ;; 'a\nb' | indent(yes) ;; 'a\nb' | indent(nil) ;; 'a\x0bb' | indent(2) ;; 'a\n  \nb' | indent(1) ;; 'a\nb' | indent(width='\t', first=no)
'abc' | trim('ac') ;; 'abcba' | trim('ab') ;; ' a' | trim(' ') ;; 'a' | trim('a') ~ '.' ;; 'xax' | trim(chars='x') ;; ' a ' | trim ~ '.' ;; 'a' | trim('b', 'c') ;; 'a' | trim(no)
'hello wORLD' | title ;; 'x[y' | title ;; 'x{y' | title ;; 'x<y' | title ;; 'x(y' | title ;; 'x-y' | title ;; 'x_y' | title ;; "x'y" | title ;; '1a b2' | title ;; 'ǆx' | title ;; 'ß' | title ;; '𐐨a' | title ;; 'a\u00a0b' | title ;; 'ŉa' | title ;; 'éCOLE' | title ;; 'aΣ' | title
'ǆx' | capitalize ;; 'ß' | upper ;; 'ΑΣ' | lower ;; 'İ' | lower | length ;; 'ÀB' | lower ;; 'ŉa' | upper
""",
    "operators": r"""
(1, 2) + [3] ;; [3] + (1, 2) ;; many + many | join ;; (many + many) | join ;; ((1, 2) + (3,)) | join ;; (map.keys() + map.keys()) | length ;; ((many | map('upper')) + [1]) | list | length ;; [] + [] | length ;; 'a' + [] ;; nil + 1 ;; yes + 1.5 ;; {} + 1
(('<' | e) + 'a') | e ;; (('<' | e) * 2) | e ;; (('<' | e) ~ 'a') | e ;; ('<' ~ 'a') | e ;; ('<' + 'a') | e ;; ('<' * 2) | e ;; (2 * ('<' | e)) | e ;; (('<' | e) ~ 5) | e ;; (5 ~ ('<' | e)) | e ;; ('<' ~ nil) | e
[1] * 3 | length ;; ([1] * 3) | join ;; (3 * [1, 2]) | join ;; ((1, 2) * 2) | join ;; ([1] * 0) | length ;; ([1] * -1) | length ;; (many * yes) | join ;; (many * no) | join ;; many * 1.5 ;; many * many ;; (map.keys() * 2) | length ;; nil * 2 ;; {} * 2
0 * -1 ;; (0 * -1) | float ;; 0 * -1.0 ;; -0.0 + 0 ;; 0.0 * -1 ;; (0 - 0) | float ;; (-4 % 2) | float ;; (4 % -2) | float ;; (0 // -2) | float ;; 4.0 % -2 ;; -4.0 % 2 ;; 0 % -3 ;; 0.0 % -3
0 ** -1 ;; 0.0 ** -1 ;; 0 ** 0 ;; 0 ** 1 ;; 2 ** 0 ;; 1 ** -1 ;; 4 ** -1 ;; 2.0 ** 2 ;; 2 ** 2.0 ;; 2 ** 0.5 ;; (0 - 8) ** 0.5 ;; 10.0 ** 400 ;; 10 ** 400 ;; ('inf' | float) ** 2 ;; ('-inf' | float) ** 3 ;; (-2) ** 3 ;; (-2) ** -1 ;; yes ** 2 ;; 2 ** yes ;; 'a' ** 2 ;; 10.0 ** -400 ;; 0.0 ** 0 ;; 10 ** 15 ;; 2 ** -1074
-0.0 // 5 ;; 0.0 // -5 ;; 0.0 // 5 ;; 0 // -5 ;; 3.0 // 5 ;; -3.0 // -5 ;; 3.0 // -5 ;; -3.0 // 5 ;; -3 // 5 ;; 3 // 5 ;; 7.5 // 2 ;; -7.5 // 2 ;; 7.5 // -2 ;; 1.0 // 0.1 ;; 6.0 // 0.1 ;; 0.3 // 0.1 ;; 1 // 0.3 ;; 9007199254740991.0 // 0.7 ;; 5e-324 // 1 ;; 100.0 // 0.1 ;; 2.904 // 0.0002 ;; 186679475.126 // 3.4 ;; -2.904 // 0.0002 ;; 7 // 2 ;; -7 // 2 ;; 7 // -2 ;; -7 // -2 ;; 8 // 2 ;; yes // 2 ;; 'a' // 2
-7 % 5 ;; 7 % -5 ;; -7 % -5 ;; 7 % 5 ;; -7.5 % 5 ;; 7.5 % -5 ;; 0.3 % 0.1 ;; -0.3 % 0.1 ;; 1 % 0 ;; 1 % 0.0 ;; 1 / 0 ;; 1 // 0 ;; 0.0 / 5 ;; 0 / -5 ;; 7 / 2 ;; 6 / 3 ;; -1e-20 % 1
1 - yes ;; 5 - 2.5 ;; many - many ;; 'a' - 1 ;; nil - 1 ;; 1 - nil ;; -yes ;; -x ;; - 'a' ;; 2 * x ;; 2 * yes
{% set t = 'nan' %}{% set a = t | float %}{{ a == a }}{{ a != a }}{{ [a] == [a] }}{{ a in [a] }}{{ [a, a].count(a) }}{{ {'k': a} == {'k': a} }}{{ [a, 1] < [a, 2] }}
{% set g = many | map('upper') %}{{ g == g }}{{ g == many }}
{% set a = namespace(a=1) %}{{ a == a }}{{ a == namespace(a=1) }}{{ a != namespace(a=1) }}
1 == 'a' ;; 'a' == 1 ;; nil == 0 ;; 0 == nil ;; 1 == nil ;; yes == 'True' ;; (1, 2) == [1, 2] ;; {} == [] ;; {} == nil ;; many == map ;; 'a' == many ;; nothing == nothing ;; nothing == nil ;; range == many ;; 1.0 == 1 ;; 1.5 == 1 ;; map == {'k': 'v', 'keys': 1} ;; map.keys() == map.keys() ;; map.items() == map.items() ;; map.keys() == ['k', 'keys'] ;; {'a': 1} == {'a': 1.0} ;; {'a': 1, 'b': 1} == {'a': 1, 'c': 1}
[1] in map ;; {} in map ;; (1, 2) in map ;; nil in map ;; 5 in map ;; 'k' in map ;; nothing in map ;; 'a' in nothing ;; 1 in 'a' ;; 'a' in map.keys() ;; 'k' in map.keys() ;; 'A' in (many | map('upper')) ;; many in [many] ;; 1.0 in [1, 2] ;; '' in '' ;; 'a' in 5 ;; 5 not in many
1 < 2 < 3 ;; 1 < 2 > 1 ;; 'a' < 'b' < 'c' ;; 3 > 2 > 2 ;; 2 >= 2 >= 2 ;; 2 <= 1 <= 3 ;; 1 < 3 in [3] ;; 1 == 1 != 2 ;; 1 in [1] == yes ;; (1 < 2) == yes ;; 1 < (2 < 3) ;; yes > no ;; nil < nil ;; map.keys() < map.keys() ;; (many | map('upper')) < [] ;; [] < (many | map('upper')) ;; many < map.keys() ;; many < many ;; [1, 2] < [1, 3] ;; (1, 2) < (1, 2, 3) ;; [1] < (1, 2) ;; map < map ;; 1.5 > 1 ;; '👍' > '\uffff' ;; '\ue000' > '👍' ;; 'a' < 'a' ;; 'aa' > 'a' ;; [1, 2] <= [1] ;; [1, 'a'] < [1, 2] ;; [2, 'a'] < [1, 2]
""",
    "order": r"""
[3, 1, 2] | sort | join ;; ['👍', '\uffff', '\ue000', 'z'] | sort | join ;; [[2, 1], [1, 2], [1]] | sort | map('join', '.') | join(',') ;; ['b', 'A', 'a', 'B'] | sort | join ;; ['b', 'A', 'a', 'B'] | sort(reverse=yes) | join ;; [1, yes, no] | sort | join ;; [1, 1.0, 0] | sort | join(',') ;; ['ab', 'a', ''] | sort | join('.') ;; [1, 'a'] | sort | join ;; [nil, nil] | sort | join ;; [map, map] | sort | join ;; [(1, 2), (1, 1)] | sort | map('join') | join(',') ;; [2, 'nan' | float, 1] | sort | join(',') ;; ['\ud7ff', '\ue000', '👍'] | sort(reverse=yes) | join ;; [(1, 2), [1, 1]] | sort | map('join') | join(',') ;; ['a👍', 'a\uffff', 'ab'] | sort | join(',') ;; ['𐀀', '\uffff', '\ue000'] | sort | join(',') ;; [[nil, 1], [nil, 0]] | sort | map('last') | join
{% set t = 'nan' %}{% set a = t | float %}{{ a < 1 }}{{ a <= 1 }}{{ a > 1 }}{{ a >= 1 }}{{ 1 <= a }}{{ 1 >= a }}
""",
    "percent": r"""
'%.0f' % 0.5 ;; '%.0f' % 1.5 ;; '%.0f' % 2.5 ;; '%.0f' % 0.75 ;; '%.0f' % 0.5625 ;; '%.1f' % 0.25 ;; '%.1f' % 0.75 ;; '%.1f' % 1.25 ;; '%.1f' % 0.35 ;; '%.2f' % 2.675 ;; '%.2f' % 1.005 ;; '%.0f' % -0.5 ;; '%.0f' % -1.5 ;; '%.1f' % -0.25 ;; '%.3f' % 0.0625 ;; '%.3f' % 0.1875 ;; '%f' % 1 ;; '%f' % 2.5 ;; '%.10f' % 0.1 ;; '%.12f' % 0.1 ;; '%.60f' % 0.1 ;; '%.61f' % 0.1 ;; '%.40f' % 0.1 ;; '%.55f' % 5e-324 ;; '%f' % yes ;; '%f' % 999999999999999900000.0 ;; '%f' % 1000000000000000000000.0 ;; '%f' % ('inf' | float) ;; '%f' % ('nan' | float) ;; '%.0f' % 123456789.5 ;; '%.0f' % 9.5 ;; '%.1f' % 9.95 ;; '%.0f' % 10.5 ;; '%.2f' % 0.125 ;; '%.2f' % 0.375
'%.2%' % 1 ;; '%.2s' % 'abc' ;; '%' % 3 ;; '%.2d' % 3 ;; '%.2i' % 3 ;; '%d' % 'a' ;; '%i' % nil ;; '%f' % 'a' ;; '%d' % 2.9 ;; '%i' % -2.9 ;; '%d' % yes ;; '%d' % -0.5 ;; '%d' % 1e300 ;; '%d' % (10.0 ** 300) ;; '%d' % 9007199254740991 ;; '%d' % (2.0 ** 53) ;; '%x' % 10 ;; '%q' % 1 ;; '%5d' % 1 ;; '%-5s' % 'a' ;; '%(a)s' % map ;; '%%' % () ;; '%s%%' % 5 ;; 'a%' % 1 ;; '%s' % nothing ;; '%s' % nil ;; '%s' % yes ;; '%s' % 1.0 ;; '%s' % many ;; '%s' % (many,) ;; '%s %s' % ('a', 1) ;; '%s\n%s' % ('a', 1) ;; '%\n' % 1 ;; '%.s' % 1
'a' % 5 ;; 'a' % 2.5 ;; 'a' % yes ;; 'a' % nil ;; 'a' % 'b' ;; 'a' % [1] ;; 'a' % [] ;; 'a' % map ;; 'a' % {} ;; 'a' % () ;; 'a' % (1, 2) ;; 'a' % nothing ;; 'a' % namespace(a=1) ;; 'a' % raise_exception ;; '%s' % (1, 2) ;; '%s%s' % 1 ;; '%s%s' % (1, 2) ;; ('%s' | e) % 1 ;; ('%s' | safe) % '<' ;; (('%s' % ('a' | e)) | e)
""",
    "numbers": r"""
'a' | round ;; nil | round ;; many | round ;; 2.5 | round('x') ;; 2.5 | round(1.0) ;; 2.5 | round(yes) ;; 2.5 | round(61) ;; 2.5 | round(60) ;; 2.5 | round(1, 'x') ;; 2.5 | round(1, 5) ;; 2.55 | round(1, 'ceil') ;; 2.55 | round(1, 'floor') ;; -2.55 | round(1, 'ceil') ;; -2.55 | round(1, 'floor') ;; 25.5 | round(-1, 'ceil') ;; 25.5 | round(-1, 'floor') ;; 255 | round(-1, 'ceil') ;; 25 | round(0, 'ceil') ;; 25 | round ;; 25 | round(2) ;; 25.5 | round(-1) ;; 25 | round(-1) ;; 2.5 | round ;; 3.5 | round ;; 2.675 | round(2) ;; 1.005 | round(2) ;; 0.15 | round(1) ;; yes | round ;; 2.5 | round(0, 'common') ;; 2.5 | round(method='ceil') ;; 2.4 | round(method='floor') ;; 2.25 | round(precision=1) ;; -2.5 | round ;; -0.4 | round ;; 1e300 | round ;; 2.5 | round(-61, 'ceil') ;; 2.5 | round(nil) ;; 2.5 | round(1, nil) ;; 0.5 | round(60, 'floor') ;; 2.5 | round(1, 'ceil', 3) ;; 2 | round(61) ;; nothing | round
'a' | int(7, 37) ;; 'z' | int(7, 36) ;; 'z' | int(7, 37) ;; 'z' | int(7, 35) ;; '1' | int(7, 2) ;; '2' | int(7, 2) ;; '1' | int(7, 1) ;; '0' | int(7, 1) ;; 'a' | int(7, 1) ;; '0' | int(7, -5) ;; '' | int(7, 36) ;; '-' | int(7, 36) ;; '1.5' | int(7, 36) ;; 'a b' | int(7, 36) ;; 'a.' | int(7, 36) ;; '12' | int(7, 0) ;; 'ff' | int(7, 0) ;; '0xff' | int(7, 0) ;; '0XFF' | int(7, 0) ;; '0o17' | int(7, 0) ;; '0b11' | int(7, 0) ;; '0b12' | int(7, 0) ;; '010' | int(7, 0) ;; '00' | int(7, 0) ;; '0' | int(7, 0) ;; '0010' | int(7, 0) ;; '100' | int(7, 0) ;; '0x_f' | int(7, 0) ;; '0x__f' | int(7, 0) ;; '0x' | int(7, 0) ;; '0xf' | int(7, 16) ;; '0xf' | int(7, 8) ;; '0b1' | int(7, 16) ;; '0b1' | int(7, 2) ;; '0o7' | int(7, 8) ;; '0x1' | int(7, 10) ;; '-0xf' | int(7, 16) ;; '+0xf' | int(7, 16) ;; '-ff' | int(7, 16) ;; 'f_f' | int(7, 16) ;; 'f__f' | int(7, 16) ;; 'f_ff' | int(7, 16) ;; 'f_ff_fff' | int(7, 16) ;; '_f' | int(7, 16) ;; 'f_' | int(7, 16) ;; ' f ' | int(7, 16) ;; 'é' | int(7, 36) ;; 'fé' | int(7, 16) ;; 'éf' | int(7, 16) ;; 'F' | int(7, 16) ;; 'x0xf' | int(7, 36) ;; 'xf' | int(7, 36) ;; '0x' | int(7, 36) ;; '٣' | int ;; '٣f' | int(7, 16) ;; '0b_1' | int(7, 2) ;; 'f f' | int(7, 16) ;; '10' | int(7, 16) ;; '--1' | int(7, 16) ;; '1-' | int(7, 16)
""",
    "marks": r"""
'<' | e | e ;; ('<' ~ 'b') | e ;; ('<' | e) ~ 'b' ;; "'" | e ;; '"' | e ;; '&' | e ;; '>' | e ;; '&lt;' | e ;; '<' | forceescape ;; '<' | e | forceescape ;; '<' | safe ;; '<' | safe | e ;; 5 | e ;; nil | e ;; nothing | e ~ '.' ;; 5 | safe ;; ('a' | e) ~ '<' ;; '<' ~ ('a' | e) ;; ('a' | e) + '>' ;; ('a' | e) ~ '"' ;; ('a' | e) ~ "'" ;; ('a' | e) ~ '&' ;; ('a' | e) ~ 'b' ~ 5 ;; many | map('e') | join | e ;; ['<'] | join | e ;; [('<' | e)] | join('-') | e ;; ['a', 'b'] | join('<' | e) | e ;; ['<', 'b'] | join('-' | e) ;; ('<' | e) | upper | e ;; ('<' | e) | trim | e ;; ('<' | e) | string | e ;; ('<' | e) | lower | e ;; ('<' | e) | title | e ;; ('<' | e) | capitalize | e ;; ('<' | e) | replace('l', 'g') | e ;; ('<' | e) | center(8) | e ;; ('<' | e) | indent | e ;; ('<' | e) | default('a') | e ;; ('<' | e) | d('a') | e ;; ('<' | e) | reverse | e ;; ('<' | e) | first | e ;; ('<' | e) | length ;; ('<' | e) == '&lt;' ;; ('<' | e) in '&lt;a' ;; ('<' | e) | tojson ;; ('a' | e) | replace('a', '<') ;; ('a' | e).upper() ;; ('a' | e) | wordcount ;; ('5' | e) | int
""",
    "loops": r"""
{% for a in many %}{{ loop.cycle('x', 'y') }}{% endfor %}
{% for a in many %}{{ loop.cycle('x') }}{% endfor %}
{% for a in many %}{{ loop.cycle() }}{% endfor %}
{% for a in many %}{{ loop.cycle(a='x') }}{% endfor %}
{% for a in many %}{{ loop.cycle('x', b='y') }}{% endfor %}
{% for a in many %}{{ loop.changed(a='x') }}{% endfor %}
{% for a in [1, 1, 2, 2, 1] %}{{ loop.changed(a) }},{% endfor %}
{% for a in [1, 1, 2] %}{{ loop.changed() }},{% endfor %}
{% for a in [1, 1, 2] %}{{ loop.changed(a, 1) }},{% endfor %}
{% for a in [[1], [1], [2]] %}{{ loop.changed(a) }},{% endfor %}
{% for a in [1, 1] %}{% for b in [1, 1] %}{{ loop.changed(a, b) }},{% endfor %}{% endfor %}
{% for a in [1, 1] %}{% if loop.first %}{{ loop.changed(a) }}{% else %}{{ loop.changed(a, 2) }}{% endif %},{% endfor %}
{% for a in [1, 2] %}{{ loop.index() }}{% endfor %}
{% for a in [1, 2] %}{{ loop.nosuch() }}{% endfor %}
{{ {'cycle': 5}.cycle() }}
{{ {'changed': 5}.changed(1) }}
{% for a in [1, 2] %}{% set c = loop.cycle %}{{ c('x', 'y') }}{% endfor %}
{% for a in [1, 2] %}{% set c = loop.changed %}{{ c(a) }}{% endfor %}
{% for a in [1, 2] %}{{ loop.cycle is callable }}{{ loop.changed is defined }}{% endfor %}
{% for a in [1, 2] %}{{ loop.depth }}{{ loop.depth0 }}{% endfor %}
{% for a in [1, 2] %}{% for b in [1] %}{{ loop.depth }}{{ loop.depth0 }}{% endfor %}{% endfor %}
{% for a in [1, 2, 3] %}{% for b in [1] %}{{ loop.index }}{% endfor %}{{ loop.index }}{{ loop.cycle('x', 'y') }}{% endfor %}
{% set loop = 7 %}{% for a in [1, 2] %}{{ loop.index }}{% endfor %}{{ loop }}
""",
    "filters": r"""
'<' | safe(1) ;; '<' | e(1) ;; 2 | abs(1) ;; many | length(1) ;; many | list(1) ;; many | first(1) ;; many | last(1) ;; many | count(1) ;; -2.0 | abs ;; -2 | abs ;; no | abs ;; 'a' | abs ;; -0.0 | abs ;; nothing | float ;; nothing | int ;; nothing | abs ;; many | map('upper') | last ;; many | map('upper') | first ;; (many | map('upper') | list) | last ;; [] | map('upper') | first is defined ;; many | map('upper') | count ;; -0.5 | int ;; (-0.5 | int) | float ;; -5.9 | int ;; 'inf' | int ;; 'inf' | int(7) ;; 'nan' | int(7) ;; '-inf' | int(7) ;; '1e400' | int(7) ;; 'a' | int(nil) ;; 'a' | int('d') ;; many | int(7) ;; nil | int(7) ;; map | int ;; 5 | int(base=16) ;; 5 | int(1, 'x') ;; 5 | int(1, 2, 3) ;; 'a' | float(default=2) ;; 'a' | float('d') ;; nil | float(7) ;; yes | float ;; 5 | float(1, 2)
{% set t = 'inf' %}{{ t | float | int }}
{% set t = 'inf' %}{{ t | float | abs }}
{% set t = 'nan' %}{{ t | float | int }}
{% set t = 'nan' %}{{ t | float }}{{ [t | float] | tojson }}
{% set t = 'infinity' %}{{ t | float }}{% set t = '-Infinity' %}{{ t | float }}{% set t = '+inf' %}{{ t | float }}{% set t = '-nan' %}{{ t | float }}
{% set g = many | map('upper') %}{{ g | first }}{{ g | first }}{{ g | list | length }}{{ g | first is defined }}
{% set g = many | map('upper') %}{{ g | join }}{{ g | join }}.
'xinf' | float ;; 'infx' | float ;; 'xnan' | float ;; 'nanx' | float ;; 'infinit' | float ;; '1.0_00' | float ;; '.0_05' | float ;; '.5_00' | float ;; '1e1_0' | float ;; '1e0_01' | float ;; '1.2__3' | float(9) ;; '.2__3' | float(9) ;; '1e1__0' | float(9) ;; '1e_1' | float(9) ;; '1_e1' | float(9) ;; '1.5e3' | float ;; '1.e3' | float ;; '.5e-1' | float ;; '1e+05' | float ;; '1.5 ' | float ;; '\xa01.5' | float ;; '1 5' | float(9) ;; '1_23.4_56' | float ;; '1_2_3' | float ;; '1.1_22_3' | float ;; '٣.٥' | float
'👍a' | first ;; 'a👍' | last ;; '👍' | first ;; '👍' | last ;; '' | first is defined ;; '' | last is defined ;; 'abc' | last ;; map | last ;; (1, 2) | first ;; nothing | first is defined ;; nothing | last is defined ;; nil | first ;; map | list | join ;; 'ab' | list | join('.') ;; map.items() | list | length ;; map.items() | first | join ;; map.values() | last
nothing | default ;; nothing | default(5) ;; nothing | default('a', no) ;; '' | default('a') ~ '.' ;; '' | default('a', yes) ;; '' | default('a', boolean=yes) ;; 0 | default('a', 1) ;; nil | default('a') ;; no | d('a', yes) ;; 'x' | default('a', yes) ;; 'x' | default('a', yes, 1) ;; nothing | default(default_value='q') ;; [] | d('e', yes) ;; nothing | default(nil)
many | join(d='-', attribute=nil) ;; messages | join('-', attribute='role') ;; messages | join(attribute='content') ;; messages | join('-', 'nosuch') ;; [[1, 2], [3, 4]] | join('-', 1) ;; [[1, 2], [3, 4]] | join('-', attribute='0') ;; [1, nil, yes, 2.0] | join ;; [1, nothing] | join('-') ;; many | join(5) ;; many | join(nil) ;; many | join('', 'a', 'b') ;; map | join ;; 'abc' | join('-') ;; [] | join('-') ~ '.'
[1, {'a': [2.0, nil]}] | tojson ;; 'a"\\\n\t\u2028é' | tojson ;; '\x7f\x1f' | tojson ;; 'é👍' | tojson(ensure_ascii=yes) ;; '\x7f\x80' | tojson(ensure_ascii=yes) ;; [1, [2]] | tojson(indent=2) ;; [] | tojson(indent=2) ;; {} | tojson(indent=2) ;; {'b': [1], 'a': {}} | tojson(indent=1, sort_keys=yes) ;; [1, 2] | tojson(separators=(',', ':')) ;; {'a': 1} | tojson(separators=(';', '=')) ;; {'a': 1} | tojson(indent=2, separators=(';', '=')) ;; [1] | tojson(indent=0) ;; [1] | tojson(indent=-3) ;; [1] | tojson(indent=nil) ;; [1] | tojson(indent=yes) ;; [1] | tojson(indent=2.0) ;; [1] | tojson(separators=nil) ;; [1] | tojson(separators=',:') ;; [1] | tojson(1) ;; -0.0 | tojson ;; [(1, 2)] | tojson ;; yes | tojson ;; nil | tojson ;; 1.5 | tojson ;; {'b': 1, 'a': 2, 'c': 3, 'B': 0} | tojson(sort_keys=yes) ;; {'👍': 1, '\uffff': 2} | tojson(sort_keys=yes) ;; {'ab': 1, 'a': 2, 'b': 3} | tojson(sort_keys=yes)
""",
    "methods": r"""
{'a': 1}.items(1) ;; {'a': 1}.keys(1) ;; {'a': 1}.values(1) ;; {'a': 1}.copy(1) ;; {'a': 1}.copy().a ;; ({'a': 1}.copy()) == {'a': 1} ;; map.nosuch() ;; map.fromkeys(many) ;; map.get() ;; map.get('k') ;; map.get('k', 1, 2) ;; map.get('x', 5) ;; map.get('x') ;; map.get(key='k') ;; map.get('k', default=1) ;; map.get([1]) ;; map.get({}) ;; map.get((1, 2)) ;; map.get(nil, 5) ;; map.get(1, 5) ;; {'a': nil}.get('a', 5) ;; map.pop('k') ;; map.update({}) ;; map.setdefault('k') ;; map.clear() ;; map.popitem()
many.count('a') ;; many.count('x') ;; many.count(value='a') ;; many.count() ;; many.count('a', 'b') ;; many.index('b') ;; many.index('c') ;; many.index('x') ;; many.index() ;; (1, 2).index(2) ;; (1, 2).count(2) ;; (1, 1, 2).count(1) ;; many.copy() | join ;; many.copy(1) ;; (1, 2).copy() ;; (many.copy()) == many ;; many.nosuch() ;; many.sort() ;; many.reverse() ;; map.keys().index('k') ;; map.keys().count('k') ;; (many | map('upper')).count('A') ;; [1, 1.0, yes].count(1) ;; n.bit_length() ;; nil.nosuch() ;; range(3).index(2) ;; range(3).count(2)
'٣'.isdecimal() ;; '12'.isdecimal() ;; '1a'.isdecimal() ;; 'a1'.isdecimal() ;; ''.isdecimal() ;; '12'.isdigit() ;; 'a1'.isdigit() ;; '1a'.isdigit() ;; ''.isdigit() ;; '²'.isdigit() ;; '½'.isdigit() ;; '٣٤'.isdigit() ;; ' '.isspace() ;; ''.isspace() ;; ' a'.isspace() ;; '\x1c\u3000'.isspace() ;; 'ab'.isalpha() ;; 'a1'.isalpha() ;; '1a'.isalpha() ;; ''.isalpha() ;; 'é'.isalpha() ;; 'ab1'.isalnum() ;; 'a-'.isalnum() ;; '-a'.isalnum() ;; ''.isalnum() ;; 'a²'.isalnum() ;; 'ab'.isascii() ;; 'aé'.isascii() ;; ''.isascii() ;; '\x7f'.isascii() ;; '\x80'.isascii() ;; 'ab'.islower() ;; 'aB'.islower() ;; 'AB'.isupper() ;; 'Ab'.isupper() ;; '1'.islower() ;; '1'.isupper() ;; 'a1'.islower() ;; 'ab'.islower(1) ;; 'ab'.isalpha(x=1) ;; 'Ab'.istitle() ;; 'ab'.isidentifier() ;; 'ab'.isprintable() ;; '1'.isnumeric()
'a'.upper(1) ;; 'a'.lower(1) ;; 'a'.capitalize(1) ;; 'a'.title(1) ;; 'aB'.upper() ;; 'aB'.lower() ;; 'aB'.capitalize() ;; 'ﬃx'.capitalize() ;; 'ﬃx ﬃ'.title() ;; "they're bill's".title() ;; 'x1y'.title() ;; 'ŉx'.capitalize() ;; 'ǆa'.title() ;; 'ΑΣ'.capitalize() ;; 'ß'.upper() ;; 'aB'.swapcase() ;; 'ß'.casefold()
'xax'.strip('x') ;; 'xax'.strip(chars='x') ;; 'xax'.strip('x', 'a') ;; 'xax'.lstrip('x') ;; 'xax'.rstrip('x') ;; ' a '.strip() ~ '.' ;; ' a '.lstrip() ~ '.' ;; ' a '.rstrip() ~ '.' ;; ' a '.strip(nil) ~ '.' ;; 'a'.strip(5) ;; 'xx'.strip('x') ~ '.' ;; '  '.strip() ~ '.' ;; '  '.lstrip() ~ '.' ;; '  '.rstrip() ~ '.' ;; ''.strip() ~ '.' ;; ''.strip('x') ~ '.' ;; 'a'.strip('') ;; '👍a👍'.strip('👍') ;; '👍👍'.lstrip('👍') ~ '.' ;; '👎a'.strip('👍') ;; 'undefined'.strip('x') ;; 'abc'.strip('undefined')
'aba'.replace('a', 'b') ;; 'aba'.replace('a', 'b', 1) ;; 'aba'.replace('a', 'b', -1) ;; 'aba'.replace('a', 'b', 0) ;; 'aba'.replace('a') ;; 'aba'.replace('a', 'b', 1, 2) ;; 'aba'.replace(1, 'b') ;; 'aba'.replace('a', 1) ;; 'aba'.replace('a', 'b', 'x') ;; 'aba'.replace('a', 'b', yes) ;; 'aba'.replace(old='a', new='b') ;; 'aba'.replace('a', 'b', count=1) ;; 'ab'.replace('', '-') ;; 'ab'.replace('', '-', 2)
'a-b-c'.split('-') | join('+') ;; 'a-b-c'.rsplit('-') | join('+') ;; 'a-b-c'.rsplit('-', 1) | join('+') ;; 'a-b-c'.split('-', 1) | join('+') ;; 'a-b-c'.rsplit('-', 0) | join('+') ;; 'a-b-c'.rsplit('-', -1) | join('+') ;; 'a-b-c'.rsplit('-', 5) | join('+') ;; 'a-b-c'.split('-', -2) | join('+') ;; 'a-b-c'.split('-', 2) | join('+') ;; 'aaa'.rsplit('aa') | join('+') ;; 'aaa'.split('aa') | join('+') ;; 'aaa'.rsplit('aa', 1) | join('+') ;; ' a b  c '.rsplit(nil, 1) | join('+') ;; ' a b  c '.split(nil, 1) | join('+') ;; ' a b  c '.rsplit() | join('+') ;; ' a b  c '.rsplit(nil, 0) | join('+') ;; 'a👍b👍c'.rsplit('👍', 1) | join('+') ;; 'abXYcdXYe'.rsplit('XY', 1) | join('+') ;; 'a'.split('') ;; 'a'.rsplit('') ;; 'a'.split(1) ;; 'a b'.split(' ', 1.5) ;; 'a b'.split(' ', yes) | join('+') ;; 'a-b-c'.split(sep='-', maxsplit=1) | join('+') ;; 'a-b-c'.rsplit(sep='-', maxsplit=1) | join('+') ;; 'a'.split(' ', 1, 2) ;; ''.split() | length ;; ''.split('-') | length ;; ''.rsplit('-') | length ;; 'a b'.split(maxsplit=0) | join('+')
'a\nb\r\nc'.splitlines() | join('+') ;; 'a\nb\n'.splitlines() | length ;; 'a\nb\n'.splitlines(yes) | join('+') ;; 'a\nb\n'.splitlines(keepends=yes) | join('+') ;; 'a\x0bb\x0cc\x1cd\x85e\u2028f'.splitlines() | join('+') ;; ''.splitlines() | length ;; '\n'.splitlines() | length ;; 'a\rb'.splitlines() | join('+') ;; 'a\n\nb'.splitlines() | join('+') ;; 'a'.splitlines(1, 2) ;; 'a\x1fb'.splitlines() | length
'-'.join(many) ;; '-'.join(iterable=many) ;; '-'.join() ;; '-'.join(many, many) ;; '-'.join([1]) ;; '-'.join('abc') ;; '-'.join(map) ;; '-'.join(5) ;; '-'.join(nothing) ;; '-'.join([]) ~ '.' ;; '-'.join(['<', 'a']) ;; '-'.join(many | map('upper')) ;; '-'.join(map.keys())
'abc'.startswith('a') ;; 'abc'.startswith('b') ;; 'abc'.startswith('b', 1) ;; 'abc'.startswith('b', 1, 2) ;; 'abc'.startswith('bc', 1, 2) ;; 'abc'.startswith(('x', 'a')) ;; 'abc'.startswith(['a']) ;; 'abc'.startswith(prefix='a') ;; 'abc'.startswith() ;; 'abc'.startswith('a', 0, 1, 2) ;; 'abc'.startswith('') ;; 'abc'.startswith('', 3) ;; 'abc'.startswith('', 4) ;; 'abc'.startswith('', 2, 1) ;; 'abc'.startswith('', 2, 2) ;; 'abc'.startswith('c', -1) ;; 'abc'.startswith('a', -9) ;; 'abc'.startswith('a', nil, nil) ;; 'abc'.startswith('a', 0, -2) ;; 'abc'.startswith('ab', 0, -2) ;; 'abc'.startswith(5) ;; 'abc'.startswith(('a', 5)) ;; 'abc'.startswith('a', 'x') ;; 'abc'.startswith('a', 1.5) ;; 'abc'.endswith('c') ;; 'abc'.endswith('b') ;; 'abc'.endswith('b', 0, 2) ;; 'abc'.endswith('b', 0, -1) ;; 'abc'.endswith(('x', 'c')) ;; 'abc'.endswith('abc', 1) ;; 'abc'.endswith('') ;; 'abc'.endswith('', 4) ;; 'abc'.endswith('c', 0, 9) ;; 'a👍b'.startswith('b', 2) ;; 'a👍b'.endswith('👍', 0, 2)
'banana'.count('a') ;; 'banana'.count('an') ;; 'banana'.count('') ;; 'banana'.count('', 2) ;; 'banana'.count('', 7) ;; 'banana'.count('', 6) ;; 'banana'.count('a', 2) ;; 'banana'.count('a', 2, 4) ;; 'banana'.count('a', -1) ;; 'banana'.count('x') ;; 'banana'.count('a', 4, 2) ;; 'banana'.count('', 4, 2) ;; 'banana'.count('', 4, 4) ;; 'banana'.count(5) ;; 'banana'.count() ;; 'banana'.count(sub='a') ;; '👍a👍'.count('') ;; '👍a👍'.count('👍')
'banana'.find('a') ;; 'banana'.find('a', 2) ;; 'banana'.find('a', 2, 3) ;; 'banana'.find('x') ;; 'banana'.find('') ;; 'banana'.find('', 6) ;; 'banana'.find('', 7) ;; 'banana'.find('', 4, 2) ;; 'banana'.find('', 4, 4) ;; 'banana'.find('a', 9) ;; 'banana'.find('b', -6) ;; 'banana'.find('b', -9) ;; 'banana'.find('a', -1) ;; 'banana'.rfind('a') ;; 'banana'.rfind('a', 0, 5) ;; 'banana'.rfind('x') ;; 'banana'.rfind('') ;; 'banana'.rfind('', 7) ;; 'banana'.rfind('a', 2, 4) ;; 'banana'.index('n') ;; 'banana'.index('x') ;; 'banana'.index('n', 3) ;; 'banana'.rindex('n') ;; 'banana'.rindex('x') ;; 'banana'.index('a', 9) ;; 'banana'.rindex('', 9) ;; '👍a👍b'.find('b') ;; '👍a👍b'.rfind('👍') ;; '👍a👍b'.find('👍', 1) ;; '👍a'.index('a') ;; 'banana'.find('a', nil, 1) ;; 'banana'.find('a', nil, nil) ;; 'banana'.find('a', yes) ;; 'banana'.find('a', 'x') ;; 'banana'.find('a', 0, 1.5) ;; 'banana'.find(5) ;; 'banana'.find('a', 0, 1, 2) ;; 'banana'.find('a', 0, 0) ;; 'banana'.find('na', 2, 4) ;; 'banana'.find('na', 3, 5)
'5'.zfill(3) ;; '-5'.zfill(4) ;; '+5'.zfill(4) ;; '5-'.zfill(4) ;; '5'.zfill(0) ;; '5'.zfill(-1) ;; ''.zfill(2) ;; '-'.zfill(3) ;; '--5'.zfill(5) ;; 'a\nb'.zfill(5) ;; '👍'.zfill(3) ;; '5'.zfill() ;; '5'.zfill('x') ;; '5'.zfill(width=3) ;; '5'.zfill(3, 4) ;; 'a+5'.zfill(5)
'ab'.center(5) ~ '.' ;; 'abc'.center(6) ~ '.' ;; 'ab'.center(5, '*') ;; 'ab'.center(4, '*') ;; 'ab'.center(1, '*') ;; 'ab'.center(5, '') ;; 'ab'.center(5, '**') ;; 'ab'.center(5, '👍') ;; 'ab'.center(5, 1) ;; 'ab'.center() ;; 'ab'.center(width=5) ;; 'ab'.center(5, '*', 1) ;; 'ab'.center('x') ;; 'ab'.ljust(4, '*') ;; 'ab'.ljust(4) ~ '.' ;; 'ab'.ljust(1) ~ '.' ;; 'ab'.rjust(4, '*') ;; 'ab'.rjust(4) ~ '.' ;; 'ab'.rjust(-4) ~ '.' ;; '👍'.ljust(3, '*') ;; '👍'.rjust(3, '*') ;; '👍'.center(4, '*') ;; 'ab'.ljust(5, 'xy') ;; 'ab'.rjust(yes) ;; 'ab'.ljust(2.5)
'a-b-c'.partition('-') | join('+') ;; 'a-b-c'.rpartition('-') | join('+') ;; 'abc'.partition('-') | join('+') ;; 'abc'.rpartition('-') | join('+') ;; '-a'.partition('-') | join('+') ;; 'a-'.partition('-') | join('+') ;; '-a'.rpartition('-') | join('+') ;; 'a'.partition('') ;; 'a'.rpartition('') ;; 'a'.partition(5) ;; 'a'.partition() ;; 'a'.partition(sep='-') ;; 'a--b'.partition('--') | join('+') ;; 'a-b'.partition('-')[0] ;; 'abc'.partition('-')[2] ~ '.' ;; 'abc'.rpartition('-')[0] ~ '.' ;; 'a-b'.partition('-', 1)
'abab'.removeprefix('ab') ;; 'abab'.removesuffix('ab') ;; 'abc'.removeprefix('x') ;; 'abc'.removesuffix('x') ;; 'abc'.removeprefix('') ;; 'abc'.removesuffix('') ;; 'abc'.removeprefix('c') ;; 'abc'.removesuffix('a') ;; 'abc'.removeprefix('abc') ~ '.' ;; 'abc'.removesuffix('abc') ~ '.' ;; 'abc'.removeprefix(5) ;; 'abc'.removesuffix() ;; 'abc'.removeprefix(prefix='a') ;; 'abc'.removesuffix('c', 'd') ;; 'abcStryker'.removesuffix('Stryker')
('a' | e).upper() ;; ('a' | safe).strip() ;; ('a' | e).split() | length ;; 'a'.nosuch() ;; 'a'.encode() ;; 'a'.format_map(map) ;; 'a'.translate(map) ;; 'a'.expandtabs() ;; 'a'.maketrans('a', 'b')
""",
    "text": r"""
'𝟎' | int(5) ;; '𝟿' | int ;; '𝟘𝟙' | int ;; '𞥕' | int ;; '٦' | int ;; '٩' | int ;; '०' | int(5) ;; '९' | int ;; '１２' | int ;; '๓' | int ;; '𑁦' | int(5) ;; '𑁯' | int ;; '᠀' | int(5) ;; '²' | int(5) ;; 'Ⅷ' | int(5) ;; '\x1c5' | float(9) ;; '\x85５' | float(9) ;; '\u20035' | float(9) ;; '\ufeff5' | float(9) ;; '5\x1f' | int(9) ;; '\x1f٥' | int(9) ;; '\u2028٥\x85' | int(9) ;; '\t٥\n' | int(9) ;; ' 5\t\n\x0b\x0c\r' | int
1.0 ;; -1.5 ;; 0.1 ;; 100000.0 ;; 123456789012345.6 ;; 1000000000000000.0 ;; 1e5 ;; 10.0 ** 16 ;; 10.0 ** 15 ;; 10.0 ** 22 ;; 10.0 ** -4 ;; 10.0 ** -5 ;; 1.5 * 10.0 ** -7 ;; 1.5 * 10.0 ** 100 ;; -1.5 * 10.0 ** 20 ;; 0.1 + 0.2 ;; -0.0 ;; 1 / 3 ;; 10.0 ** -1 ;; 10.0 ** -7 ;; 10 ** -3 ;; 3.0 ** -2 ;; 2 / 3 * 10.0 ** -5
{% set t = 'inf' %}{{ t | float }}{{ -(t | float) }}
""",
    "syntax": r"""
{{ {'is': 1}.is }}{{ {'is': 1}.is is defined }}{{ {'is': 1}.is is odd }}{{ map.is is not defined }}
{{ 1 is }}
{{ 1 is 5 }}
{{ 1 is not }}
{{ 1 is 'odd' }}
{{ 1 is not 5 }}
{{ 1 is (odd) }}
1 is in [[3], 1] ;; [3] is in [[3], 1] ;; 'a' is in {'a': [1]} ;; 'a' is in {'b': 1} ;; 'A' is in 'abc'.upper() ;; 1 is in range(3) ;; 2 is eq many.index('c') ;; 'a' is eq many[1] ;; 'a' is eq many[1].lower() ;; 3 is eq n ;; 3 is eq n and yes ;; 3 is eq n or no ;; 3 is ne n if yes else 5 ;; 3 is odd in [yes] ;; 1 is odd and 2 is even ;; 1 is odd == yes ;; not 1 is odd ;; 1 is not odd ;; 1 is in [1] is true ;; 'b' is in messages[0].role ;; 'user' is eq messages[0]['role'] ;; 4 is divisibleby n - 1 ;; 4 is eq (2 + 2) ;; [1, 2] is eq [1, 2] ;; 1 is in [2 is even, 1] ;; 1 is eq 1 | string ;; 5 is eq [5][0] ;; 4 is divisibleby 2 and yes ;; 1 is eq -1 ;; -1 is eq(-1) ;; 'a' is in('abc') ;; 1.5 is eq 1.5 ;; 1 is odd not in [no] ;; 1 is in {1: 2} ;; 3 is odd if yes else 5 ;; n is defined if yes else 5 ;; 3 is odd not in [1] ;; 3 is odd not ;; (3 is odd) in [yes] ;; n is defined if no ;; 3 is not odd if yes else 5 ;; nothing is defined in [no] ;; 3 is odd or no ;; 3 is odd else ;; 3 is eq if
{{ 1 is not (odd) }}
(1 < 2) < 3 ;; 1 < (2 < 3) ;; (1 < 2) == yes ;; 5 > (4 > 3) ;; (5 > 4) > 3 ;; (1 == 1) == 1 ;; 3 == (3 == 3) ;; not (1 < 2) < 3 ;; (2 < 1) in [no] ;; ('a' in 'abc') in [yes] ;; ('a' not in 'abc') == no ;; (1 < 2, 3)[0] ;; (1 < 2, 3) | length ;; [1 < 2][0] ;; [3 > 2 > 1, 1][0] ;; {'a': 1 < 2}.a ;; {'a': 1 < 2}['a'] ;; (1 < 2) | string ;; (1 < 2) | int + 1 ;; -(1 < 2) ;; 2 * (1 < 2) ;; (1 < 2) and (2 < 3) ;; ((1 < 2)) < 3 ;; ((1 < 2) == yes) == yes ;; (1 < 2).real ;; (1 < 2) ~ 'a' ;; ('ab' < 'b') if (1 < 2) else 5 ;; [(1 < 2) < 3] | first ;; range(2)[1 < 2] ;; 'abc'[(1 < 2)] ;; 'abc'[1 < 2:] ;; many | join(1 < 2) ;; ('a' < 'b').nosuch is defined ;; (many if 1 < 2 else [])[0] ;; (many if 1 < 2 else []).count('a') ;; ('abc' if 1 < 2 else '').upper() ;; (1 < 2) is true ;; (1 < 2) is sameas yes ;; 1 < 2 is true ;; yes == (1 in [1]) ;; 3 > (n == 3) ;; (n == 3) == (x == 2.5) ;; [1, 2, 3] | select('in', [1 < 2, 2]) | join ;; (1 < 2) in [1 < 2] ;; 1 in (1 < 2, 5) ;; (3 in [3]) in [3 in [3]] ;; [[1 < 2] == [yes]] == [yes]
{% macro f(a=1 < 2, b=(1 < 2) < 3) %}{{ a }}{{ b }}{% endmacro %}{{ f() }}{{ f(2 < 1) }}{{ f(b=2 < 1) }}{{ f((1 < 2) == yes) }}
{% macro f(a) %}{{ a }}{{ caller() }}{% endmacro %}{% call f(1 < 2) %}x{% endcall %}
{% filter replace('a', (1 < 2) | string) %}abc{% endfilter %}{% filter indent(2, 1 < 2) %}x{% endfilter %}
{% for a in (1 < 2, 3 < 2) %}{{ a }}{% endfor %}{% for a in [1 < 2] if (a == yes) == yes %}{{ a }}{% endfor %}
{% if (1 < 2) == yes %}a{% endif %}{% if not (1 < 2) == yes %}b{% endif %}{% if no %}{% elif (3 > 2) == yes %}c{% endif %}{% set z = (1 < 2) < 3 %}{{ z }}
{% with a = 1 %}{{ a }}{% endwith %}{{ a is defined }}
{% with a = 1, b = 2 %}{{ a }}{{ b }}{% endwith %}
{% with %}{% set a = 1 %}{{ a }}{% endwith %}{{ a is defined }}
{% with a = [1, (2, 3)], b = {'x': [1, 2]} %}{{ a[1][0] }}{{ b.x[1] }}{% endwith %}
{% with a = range(1, 3), b = n %}{{ a | join }}{{ b }}{% endwith %}
{% with a = (1 < 2) < 3, b = 1 if no else 2 %}{{ a }}{{ b }}{% endwith %}
{% with n = n + 1 %}{{ n }}{% endwith %}{{ n }}
{% with a = 1 %}{% with b = a + 1 %}{{ a }}{{ b }}{% endwith %}{{ b is defined }}{% endwith %}
{% with a = 1, b = a %}{{ b }}.{% endwith %}
{% with 5 = 1 %}{% endwith %}
{% with a.b = 1 %}{% endwith %}
{% with a 1 %}{% endwith %}
{% with a = %}{% endwith %}
{% with a = , b = 1 %}{% endwith %}
{% with a = 1, %}{{ a }}{% endwith %}
{% with , a = 1 %}{% endwith %}
{% with 'a' = 1 %}{% endwith %}
{% with a == 1 %}{% endwith %}
{% with a = 1 %}{{ a }}
{{ a }}{% endwith %}
{% set with = 5 %}{{ with }}
{% if with %}a{% else %}b{% endif %}
{% set with = yes %}{% if with %}{% set q = 1 %}a{% else %}b{% endif %}{{ q is defined }}
{% set endwith = 5 %}{{ endwith }}
""",
    "source": r"""
  {%+ if yes %}a{% endif %}
  {% if yes %}a{% endif %}
{% if yes +%}\na{% endif %}
{% if yes %}\na{% endif %}
{% set z = 1 %}\n  {% set z = 2 %}x
{% set z = 1 +%}\n  {% set z = 2 %}x
{% set z = 1 %} {% set z = 2 %}x
{% set z = 1 -%} \n  {% set z = 2 %}x
{{ n }}\n  {% set z = 2 %}x
{{ n }}  {% set z = 2 %}x
{# c #}\n  {% set z = 2 %}x
{# c #}  {# d #}x
  {# c #}  x
a\n  {#+ c #}x
a\n  {# c +#}\nx
  {% raw %}a{% endraw %}b
  {%+ raw %}a{% endraw %}b
{% raw %}\n a\n  {% endraw %}\nb
{% raw -%}\n a\n  {%- endraw -%}\nb
{% raw %}\n a\n  {%+ endraw +%}\nb
{%- raw -%}  {{ x }} {% if %}  {%- endraw -%}  b
{% raw %}{% raw %}{% endraw %}{{ n }}
{%raw%}a{%endraw%}
{{+yes}}{{+ yes }}{{+n}}
{{+'a'}}
{{-yes}}{{- n }}{{ -n }}
a {{- n -}} b
a {{+ n }} b
a {{ n +}} b
{{ generation }}.{{ generation is defined }}
{% generation %}{{ n }}{% endgeneration %}
{%- generation -%} a {%- endgeneration -%} b
{% generation %}{% set q = 1 %}{{ q }}{% endgeneration %}{{ q is defined }}
{% generation x %}a{% endgeneration %}
{#-#}  a
{#-#}\n a
a {#-#} b
{##}  a
{#+#}\na
{# -#}  a
{#--#}  a
{#
{#}
{#}#}a
a{% raw %}b
{{ '{{' }}{{ '}}' }}{{ '{%' ~ '%}' }}
{{ '#}' }}{# '#}a
{ { n } }{ %{ #
{{ {'a': {'b': 1}}['a']['b'] }}
{{ {'a': {'b': 1}}}}
{{ (n] }}
{{ n) }}
{{ n
{% if yes
{{ 'a
{{ 'a\\'b' }}
{{ "a'b" }}{{ 'a"b' }}
{{ 'a' }}}}
a\n\n
a\n
\n
\n\n

{% if yes %}\n{% endif %}\n
a\r\nb\rc\r\n
a \x1c{%- if yes -%}\x85 b{% endif %}
\u2003{% if yes %}a{% endif %}
\ufeff{% if yes %}a{% endif %}
{%\u2003if yes\u2003%}a{% endif %}
{{n}}{
{{n}}{{
{
{%- set z = 1 -%}
""",
    "run": r"""
{% for a in [1] %}{% continue %}{% else %}x{% endfor %}
{% for a in [1] %}x{% break %}{% else %}y{% endfor %}
{% for a in [1, 2] %}{% if a == 2 %}{% break %}{% endif %}{{ a }}{% else %}x{% endfor %}
{% for a in [1, 2] %}{% continue %}{% else %}{% for b in [1] %}{% continue %}{% else %}y{% endfor %}x{% endfor %}
{% for a in [1, 2] %}{{ a }}{% for b in [1] %}{% break %}{% else %}y{% endfor %}{% else %}x{% endfor %}
{% for a in [1, 2] %}{% for b in [1] %}{{ b }}{% endfor %}{% continue %}{% else %}x{% endfor %}
{% for a in [] %}{% else %}{% set q = 1 %}{{ q }}{% endfor %}{{ q is defined }}
{% for a in [1] %}{% break %}{% else %}{% set q = 1 %}{{ q }}{% endfor %}{{ q is defined }}
{% for a in [1, 2, 3] %}{{ a }}{% if a == 2 %}{% break %}{% endif %}-{% endfor %}{% for a in [4] %}{{ a }}{% endfor %}
{% for a in [1, 2] %}{% for b in [1, 2] %}{{ a }}{{ b }}{% break %}{% endfor %}{% endfor %}
{% for a in [1, 2] %}{% macro f() %}{{ a }}{% endmacro %}{{ f() }}{% endfor %}
{% for a in [1, 2] %}{% if yes %}{% set q = a %}{% endif %}{{ q }}{% endfor %}{{ q is defined }}
{% for a in [1, 2] %}{% with b = a %}{% if b == 1 %}x{% continue %}{% endif %}{% endwith %}{{ a }}{% endfor %}
{% for a in [1, 2] %}{% filter upper %}x{% if a == 1 %}y{% endif %}{% endfilter %}{% endfor %}
{% for a, b in [[1, 2], [3, 4]] %}{{ a }}{{ b }}{{ loop.index }}{% endfor %}
{% for (a, b) in [(1, 2)] %}{{ a }}{{ b }}{% endfor %}
{% for a, b in [[1, 2, 3]] %}{{ a }}{% endfor %}
{% for a, b in [[1]] %}{{ a }}{% endfor %}
{% for a, b in ['xy'] %}{{ a }}{{ b }}{% endfor %}
{% for a, b in [5] %}{{ a }}{% endfor %}
{% for a, b in ['a👍'] %}{{ b }}{% endfor %}
{% for a, b in [(1, 2), [3, 4]] if a == 3 %}{{ a }}{{ b }}{% endfor %}
{% for a in [(1, 2)] %}{{ a == (1, 2) }}{{ a | length }}{% endfor %}{% for a in ['xy'] %}{{ a }}{% endfor %}
{% for (a, b) in map.items() %}{{ a }}{{ b }}{% endfor %}{% for a, b in [nil] %}{% endfor %}
{% for a, b in map | items %}{{ a }}{{ b }}{% endfor %}{% for a, b in many | batch(3) | map('reverse') | map('list') | map('batch', 2) | first %}{{ a }}{{ b }}{% endfor %}
{% for a in namespace(a=1) %}{{ a }}{% endfor %}
{% for a in raise_exception %}{{ a }}{% endfor %}
{% for a in yes %}{{ a }}{% endfor %}
{% for a in many | map('upper') %}{{ a }}{{ loop.index }}{% endfor %}
{% set g = many | map('upper') %}{% for a in g %}{{ a }}{% endfor %}{% for a in g %}{{ a }}{% else %}none{% endfor %}
{% set g = many | map('upper') %}{% for a in g if a != 'A' %}{{ a }}{% endfor %}{{ g | list | length }}
{% for a in map.values() %}{{ a }}{% endfor %}{% for a in map.keys() %}{{ a }}{% endfor %}{% for a, b in map | dictsort %}{{ a }}{{ b }}{% endfor %}
{% for a in 'a👍' %}{{ a }}{{ loop.index }}{{ loop.last }}{% endfor %}
{% for a in many if a != 'a' %}{{ a }}{{ loop.length }}{{ loop.last }}{% else %}none{% endfor %}
{% for a in many if no %}{{ a }}{% else %}none{% endfor %}
{% for a in many %}{{ loop.previtem is defined }}{{ loop.nextitem is defined }}{{ loop.revindex }}{% endfor %}
{% for a in [1, [2]] recursive %}{{ a }}{% endfor %}
{% for a in many[1:] %}{{ a }}{% endfor %}{% for a in many | sort %}{{ a }}{% endfor %}{% for a in (many + ['d']) %}{{ a }}{% endfor %}
{% for a in many %}{{ a }}{% endfor %}{{ loop is defined }}
{% for a in messages %}{% for b in a.content %}{{ b }}{% endfor %}{{ loop.index }}{% endfor %}
{% break %}
{% if yes %}{% continue %}{% endif %}
{% set x | upper | trim %} ab {% endset %}{{ x }}.
{% set x | replace('a', 'b') %}aa{% endset %}{{ x }}
{% set x | trim | replace('a', 'b') | upper %} aa {% endset %}{{ x }}.
{% set x | nosuch %}a{% endset %}{{ x }}
{% set x %}{% set y = 1 %}{{ y }}{% endset %}{{ x }}{{ y is defined }}
{% set x %}a{% for b in 'xy' %}{{ b }}{% endfor %}{% endset %}{{ x }}{{ x | length }}
{% set ns = namespace(a=1) %}{% set ns.a %}x{{ n }}{% endset %}{{ ns.a }}
{% set ns = namespace(a=1) %}{% set ns.b = ns.a + 1 %}{{ ns.a }}{{ ns.b }}
{% set ns.a = 1 %}
{% set map.k = 1 %}
{% set a, b = [1, 2] %}{{ a }}{{ b }}
{% set a, b = 1 %}
{% set a, b = 'xy' %}{{ a }}{{ b }}
{% set a, b, c = 1, 2 %}
{% set (a, b) = (1, 2) %}{{ a }}{{ b }}
{% set a = 1 %}{% set b = a %}{% set a = 2 %}{{ a }}{{ b }}
{% if yes %}{% set q = 1 %}{% else %}{% set q = 2 %}{% endif %}{{ q }}
{% if no %}{% set q = 1 %}{% endif %}{{ q is defined }}
{% if no %}a{% elif nothing %}b{% elif n %}c{% elif yes %}d{% else %}e{% endif %}
{% filter upper %}{% set a = 1 %}{{ a }}x{% endfilter %}{{ a is defined }}
{% filter upper | replace('A', 'b') %}a{% endfilter %}
{% filter replace('a', 'b') | upper %}a{% endfilter %}
{% filter length %}abc{% endfilter %}
{% filter nosuch %}abc{% endfilter %}
{% filter join('-') %}abc{% endfilter %}
{% macro f(a, b=2) %}{{ a }}{{ b }}{% endmacro %}{{ f(1) | length }}{{ f(b=1, a=3) }}{{ f(1, 2, 3) }}
{% macro f(a, b=2) %}{{ a }}{{ b }}{% endmacro %}{{ f(1) | length }}{{ f(b=1, a=3) }}{{ f() }}
{% macro f(a) %}{{ a }}{% endmacro %}{{ f(c=1) }}
{% macro f(a) %}{{ a is defined }}{% endmacro %}{{ f() }}
{% macro f(a) %}{{ a.b }}{% endmacro %}{{ f() }}
{% macro f() %}{% set q = 1 %}{{ n }}{% endmacro %}{{ f() }}{{ q is defined }}
{% macro f() %}a{% endmacro %}{{ f() ~ f() }}{{ f() | upper }}{{ f().upper() if no else '' }}
{% macro f(x) %}{{ x }}{% endmacro %}{% set g = f %}{{ g('q') }}
{% macro f() %}{{ caller() }}{{ caller() | upper }}{% endmacro %}{% call f() %}a{{ n }}{% endcall %}
{% macro f() %}{{ caller is defined }}{% endmacro %}{{ f() }}{% call f() %}{% endcall %}
{% macro f(a) %}{{ caller(a, 2) }}{% endmacro %}{% call(x, y) f(1) %}{{ x }}{{ y }}{% endcall %}
{% macro f() %}x{% endmacro %}{% if f() %}a{% endif %}{% if f() == 'x' %}b{% endif %}
{% macro f() %}{% endmacro %}{% if f() %}a{% else %}b{% endif %}[{{ f() }}]
{% macro f(m) %}{{ m.role }}{% endmacro %}{% for m in messages %}{{ f(m) }}{% endfor %}
{{ f() }}{% macro f() %}x{% endmacro %}
'abc'[yes:] ;; 'abc'[nil:nil:nil] ;; many[::yes] | join ;; 'abc'[0:1:0] ;; 'abc'[::-1] ;; many[::-1] | join ;; map.items()[0:1] is defined ;; (many | map('upper'))[0:1] is defined ;; nothing[0:1] ;; n[0:1] ;; map[0:1] ;; nil[1:] ;; 'abc'[:no] ~ '.' ;; 'abc'[nothing:] ;; 'a👍b'[1:2] ;; 'a👍b'[::-1] ;; 'a👍b'[-1:] ;; (1, 2, 3)[1:] | join ;; (1, 2, 3)[1:] == (2, 3) ;; (1, 2, 3)[1:] == [2, 3] ;; 'abcdef'[1:-1:2] ;; 'abcdef'[-2::-2] ;; 'abcdef'[4:1:-1] ;; 'abc'[5:] ~ '.' ;; many[5:] | length ;; many[-9:] | join ;; many[:-9] | length ;; range(5)[1:3] | join ;; range(9)[::-4] | join(',')
dict(a=1).a ;; cycler is defined ;; joiner is defined ;; self is defined ;; dict is defined ;; lipsum is defined ;; nosuch ~ '.' ;; nosuch.x ;; nosuch.x.y ;; (nothing or nosuch).x ;; (nosuch if no).x ;; nosuch['x'] ;; nosuch() ;; nosuch.x() ;; map.nosuch.x ;; map['nosuch'].x ;; [nothing][0].x ;; (nothing or nil).x ;; many[9].x ;; many[9]['x'] ;; many[9].x() ;; (nothing).x() ;; map['nosuch']() ;; map.nosuch() ;; 5() ;; 'a'() ;; nil() ;; many() ;; 'a'.upper.x is defined ;; many.aVeryLongNameThatNoMethodHasAndThatIsCutInMessages() ;; messages[0].role.nosuch() ;; messages[0].nosuch() ;; raise_exception.x is defined ;; range.x is defined ;; {'f': raise_exception}.f('x') ;; {'r': range}.r(2) | join ;; {'r': range}['r'](2) | join ;; namespace(r=range).r(3) | join ;; many['cou' ~ 'nt']('a') ;; 'abc'['upper']() ;; map['keys'] ;; map.keys() | join
{% set dict = 5 %}{{ dict }}{% set self = 6 %}{{ self }}{% set joiner = 7 %}{{ joiner }}
{{ raise_exception('a' ~ 1) }}
{{ raise_exception(nil) }}
{{ raise_exception(message='x') }}
{% if no %}{{ raise_exception('never') }}{% endif %}ok
yes and n ;; n and no ;; no or n ;; nothing or 'x' ;; '' and nosuch() ;; 'a' or nosuch() ;; not n ;; not not n ;; 'x' if n == 3 ;; 'x' if n == 4 ;; ('x' if n == 4) is defined ;; ('x' if no else 'y') ~ 'z' ;; n if n > 2 else 0 - n ;; -n ** 2 ;; -(-n) ;; +x ;; - 'a' | length ;; not [] and not {} ;; nil and 1 ;; 0 or 0.0 ;; [] or {} | length ;; 1 and 2 and 3 ;; 0 or no or 'z'
nil ;; [nil] | first ;; nothing ;; {'a': nil}.a ;; {'a': nothing}.a ;; [nothing] | length ;; {'a': nothing} | length
{% include 'a' %}
{% import 'a' as b %}
{% block a %}x{% endblock %}
{% autoescape true %}x{% endautoescape %}
{% do many %}
{% debug %}
{% trans %}a{% endtrans %}
""",
    "lists": r"""
many | dictsort ;; map | dictsort(by='x') | list ;; map | dictsort(by=1) | list ;; {'b': 1, 'a': 2} | dictsort(by='value') | map('first') | join ;; {'b': 1, 'A': 2} | dictsort(yes) | map('first') | join ;; {'b': 1, 'A': 2} | dictsort(case_sensitive=yes) | map('first') | join ;; {'a': 1, 'B': 2} | dictsort(case_sensitive=yes) | map('first') | join ;; {'a': 1, 'B': 2} | dictsort | map('first') | join ;; {'a': 1, 'B': 2} | dictsort(reverse=yes) | map('first') | join ;; {'a': 'x', 'b': 'Y'} | dictsort(no, 'value') | map('first') | join ;; {'a': 'x', 'b': 'Y'} | dictsort(yes, 'value') | map('first') | join ;; {'a': 1, 'b': 'x'} | dictsort(by='value') ;; nil | dictsort ;; nothing | dictsort
many | items | list ;; nil | items | list ;; 'a' | items | list ;; map | items(1) ;; map | items | map('join', '=') | join(',') ;; nothing | items | list | length ;; map | items | first | join
'abc' | reverse ;; 'a👍b' | reverse ;; many | reverse(1) ;; many | reverse | join ;; nil | reverse ;; map | reverse | join ;; '' | reverse ;; (1, 2) | reverse | join
['a', 'A', 'b'] | unique | join ;; ['a', 'A', 'b'] | unique(yes) | join ;; messages | unique(attribute='role') | map(attribute='content') | join ;; messages | unique(no, 'role') | list | length ;; [{'a': 'x'}, {'a': 'X'}] | unique(yes, 'a') | list | length ;; [1, 1.0, yes] | unique | list | length ;; [nil, nothing, nil] | unique | list | length ;; messages | unique(attribute='role,content') | list | length ;; [map] | unique | list | length
['a', 'A'] | min ;; ['A', 'a'] | min ;; ['a', 'A'] | max ;; ['A', 'a'] | max ;; ['a', 'B'] | min(yes) ;; ['a', 'B'] | min(case_sensitive=yes) ;; ['a', 'B'] | max(case_sensitive=yes) ;; ['a', 'B'] | max ;; [3, 1, 2] | min ;; [3, 1, 2] | max ;; [] | min is defined ;; [] | max is defined ;; messages | max(attribute='content') | items | list | length ;; (messages | max(attribute='content')).content ;; (messages | min(attribute='content')).content ;; [1, 'a'] | max ;; [[1, 2], [1, 3]] | max | join ;; (1, 2) | max ;; 'abc' | max ;; [{'a': 1}, {'a': 3}] | map(attribute='a') | max ;; ([{'a': 1, 'b': 2}, {'a': 1, 'b': 1}] | min(attribute='a,b')).b
[1, 2, 3] | sum ;; [1.5, 2] | sum ;; [] | sum ;; ['a'] | sum ;; ['a', 'b'] | sum(start='') ;; ['a'] | sum(start='') ;; [] | sum(start='x') ;; [[1], [2]] | sum(start=[]) | join ;; [{'a': 1}, {'a': 2}] | sum(attribute='a') ;; [{'a': 1}, {'a': 2}] | sum('a') ;; [{'a': 1}, {'a': 2}] | sum('a', 5) ;; [1, 2] | sum(nil, 5) ;; [1, 2] | sum(start=1) ;; [yes, yes] | sum ;; [nil] | sum ;; nothing | sum ;; [[1, 2], [3, 4]] | sum(1)
[1, 2] | batch(0) | list ;; [1, 2] | batch(-1) | list ;; [1, 2] | batch('x') | list ;; [1, 2] | batch(1) | list | length ;; [1, 2] | batch(2) | list | length ;; [1, 2, 3] | batch(2) | map('join', '.') | join(',') ;; [1, 2, 3] | batch(2, 'x') | map('join', '.') | join(',') ;; [1, 2, 3] | batch(2, nil) | map('join', '.') | join(',') ;; [] | batch(2, 'x') | list | length ;; [1] | batch(3, 'x') | map('join', '.') | join(',') ;; [1, 2, 3] | batch(linecount=2, fill_with='y') | map('join', '.') | join(',') ;; [1, 2] | batch ;; [1, 2, 3, 4] | batch(2, 'x') | map('join', '.') | join(',') ;; [1, 2] | batch(yes) | list | length ;; [1, 2] | batch(1.5) | list
many | map | list ;; many | map(5) | list ;; many | map(nil) | list ;; many | map('upper') | join ;; many | map('replace', 'a', 'x') | join ;; many | map('replace', old='a', new='x') | join ;; many | map(attribute='x', nosuch=1) | list ;; many | map('upper', attribute='x') | list ;; many | map(default='d') | list ;; [nothing, 'a'] | map('default', 'd') | join ;; [{'a': 1}, {}] | map(attribute='a', default='d') | join ;; [{'a': nil}] | map(attribute='a', default='d') | join ;; [{'a': 1}] | map(attribute='a') | join ;; [{'a': 1}, {}] | map(attribute='a', default='') | join ;; many | map(filter='upper') | list ;; [{'a': {'b': 1}}] | map(attribute='a.b', default=0) | join ;; many | map('nosuch') | list ;; [] | map('nosuch') | list | length ;; [] | map | list ;; [['a', 'b']] | map('last') | join ;; [{}] | map('default', attribute='x') | list
messages | selectattr | list ;; messages | selectattr(attribute='role') | list ;; many | select(5) | list ;; many | select(nil) | list ;; [1, 2] | select(test='odd') | list ;; messages | selectattr('role', 5) | list ;; messages | selectattr('role', 'eq', 'user') | map(attribute='content') | join ;; messages | selectattr('role', 'eq', other='user') | map(attribute='content') | join ;; messages | rejectattr('role', 'eq', 'user') | map(attribute='content') | join ;; messages | rejectattr | list ;; [0, 1, 2] | reject | join ;; [0, 1, 2] | select | join ;; [1, 2, 3] | select('odd') | join ;; [1, 2, 3] | reject('odd') | join ;; [1, 2] | select('nosuch') | list ;; [] | select('nosuch') | list | length ;; [{'a': 0}, {'a': 1}] | selectattr('a') | list | length ;; [{'a': 0}, {'a': 1}] | rejectattr('a') | list | length ;; [{'a': 0}, {}] | selectattr('a', 'defined') | list | length ;; [] | selectattr | list ;; [1, 2] | select('odd', 1) | list
['a', '_', 'B'] | sort | join ;; [{'a': 2, 'b': 1}, {'a': 1, 'b': 2}, {'a': 1, 'b': 1}] | sort(attribute='a,b') | map('join') | list | length ;; [{'a': 2, 'b': 1}, {'a': 1, 'b': 2}, {'a': 1, 'b': 1}] | sort(attribute='a,b') | map(attribute='b') | join ;; [{'a': 2, 'b': 1}, {'a': 1, 'b': 2}, {'a': 1, 'b': 1}] | sort(attribute='b,a') | map(attribute='a') | join ;; [[2], [1]] | sort(attribute=0) | map('first') | join ;; [[2], [1]] | sort(attribute='0') | map('first') | join ;; [{'a': 'b'}, {'a': 'A'}] | sort(attribute='a') | map(attribute='a') | join ;; [{'a': 'b'}, {'a': 'C'}] | sort(no, yes, 'a') | map(attribute='a') | join ;; [{'a': 1}, {}] | sort(attribute='a') | list | length ;; ['b', 'a'] | sort(reverse=yes) | join ;; ['b', 'a'] | sort(no, no, nil) | join ;; many | sort(1, 2, 3, 4) ;; many | sort(1) | join ;; many | sort(0) | join ;; many | sort(nil) | join ;; many | sort('a') | join ;; many | sort(1.0) | join ;; map | dictsort(reverse=nil) | list ;; map | dictsort(reverse=1) | map('first') | join ;; 'cab' | sort | join ;; map | sort | join ;; 5 | sort ;; [{'a': 'x', 'b': 1}, {'a': 'X', 'b': 0}] | sort(attribute='a,b') | map(attribute='b') | join
""",
}


def cases():
    for part, lines in PARTS.items():
        for line in lines[1:].rstrip("\n").split("\n"):
            if part == "source" or "{{" in line or "{%" in line or "{#" in line:
                yield part, decoded(line) if part == "source" else line
            else:
                for source in line.split(" ;; "):
                    yield part, "{{ " + source.strip() + " }}"


def decoded(line: str) -> str:
    """Line ends and white space are those of the source here."""
    return re.sub(r"(?:\\u[0-9a-f]{4})|\\x[0-9a-f]{2}|\\[\\nr]", lambda m: m[0].encode().decode("unicode_escape"), line)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    with open(args.out, "w", encoding="utf-8") as out:
        out.write(json.dumps({"variables": VARIABLES}) + "\n")
        for part, source in dict.fromkeys(cases()):
            try:
                text = _compile_jinja_template(source).render(**json.loads(json.dumps(VARIABLES)))
            except Exception:  # TemplateError, TypeError of Python inside the template
                text = None
            out.write(json.dumps({"part": part, "source": source, "text": text}) + "\n")
    print(args.out)


if __name__ == "__main__":
    main()
