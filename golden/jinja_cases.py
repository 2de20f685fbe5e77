"""What Jinja in transformers makes of small templates, and Python of dates, one JSON object a line: {"source", "text": null where it is refused} and
{"date", "texts": by directive}.

    python golden/jinja_cases.py --out golden/jinja.jsonl
"""
import argparse
import json
import re
from datetime import datetime
from pathlib import Path

from transformers.utils.chat_template_utils import _compile_jinja_template

MESSAGES = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Yes"}, {"role": "user", "content": "So"}]
VARIABLES = {"messages": MESSAGES, "bos_token": "<bos>", "n": 3, "x": 2.5, "yes": True, "no": False, "nil": None, "word": "héllo Wörld", "wide": "a👍b", "many": ["b", "a", "c"], "map": {"k": "v", "keys": 1}}
# Each between {{ and }}; ;; stands between two.
EXPRESSIONS = r"""
'a' ~ 'b' ;; 1 ~ 2 ;; 'a' ~ nil ;; 'a' ~ nothing ;; 'a' ~ yes ;; 'a' ~ 1.0 ;; 'a' ~ x
1 == 1.0 ;; 1 == '1' ;; yes == 1 ;; no == 0 ;; yes == 2 ;; '' == nil ;; nil == nil ;; nothing == nothing ;; nil == nothing ;; nil == no ;; '1' == 1 ;; 'a' == 'a' ;; 'a' != 'b' ;; 1 != 1 ;; 'True' == yes ;; 0 == nil
[1, 2] == [1, 2] ;; [1, 2] == [1, 3] ;; [1, 2] == [1] ;; [1] == [1, 2] ;; [1, '2'] == [1, 2] ;; [] == [] ;; [] == '' ;; [[1], [2]] == [[1], [2]] ;; [[1], [2]] == [[1], [3]] ;; [1, 2] != [1, 2] ;; (1, 2) == (1, 2) ;; [yes] == [1]
{'a': 1} == {'a': 1} ;; {'a': 1} == {'a': 2} ;; {'a': 1} == {'b': 1} ;; {'a': 1} == {'a': 1, 'b': 2} ;; {'a': 1, 'b': 2} == {'a': 1} ;; {'a': 1, 'b': 2} == {'b': 2, 'a': 1} ;; {'a': [1]} == {'a': [1]} ;; {} == {} ;; {} == [] ;; messages[0] == {'role': 'user', 'content': 'Hi'} ;; messages[0] == messages[1] ;; messages[0] == messages[0]
'a' in 'cat' ;; 'x' in 'cat' ;; '' in 'cat' ;; 'a' not in 'cat' ;; 1 in [1, 2] ;; '1' in [1, 2] ;; 1.0 in [1] ;; yes in [1] ;; [1] in [[1]] ;; 'a' in nothing ;; 'a' not in nothing ;; 'k' in map ;; 'v' in map ;; 'k' not in map ;; 1 in map ;; 1 in 'a1' ;; nil in 'a' ;; nil in [nil] ;; nothing in 'a' ;; 'a' in 5 ;; 'a' in nil ;; 'a' in yes ;; 3 in (1, 3) ;; messages[0] in messages
'a' + 'b' ;; 1 + 2 ;; 1 + 2.5 ;; [1] + [2] == [1, 2] ;; 'a' + 1 ;; 1 + 'a' ;; 'a' + nil ;; nil + 'a' ;; 'a' + nothing ;; nothing + 'a' ;; 'a' + [1] ;; [1] + 'a' ;; 'a' + yes ;; 'a' + {} ;; 'a' + 2.5
'ab' * 3 ;; 3 * 'ab' ;; 'ab' * 0 ;; 'ab' * -1 ;; 'ab' * 1 ;; 2 * 3 ;; 2 * 1.5 ;; 'ab' * 2.0 ;; 'a' * 'b' ;; 'ab' * nil
7 % 3 ;; -7 % 3 ;; 7 % -3 ;; -7 % -3 ;; 6 % 3 ;; 7 // 2 ;; -7 // 2 ;; 7 / 2 ;; 6 / 2 ;; 7.5 % 2 ;; 7 // 2.0 ;; 1 / 0 ;; 1 // 0 ;; 1 % 0 ;; 0 / 1 ;; 2 ** 3 ;; 5 - 7 ;; -n ;; 1 / 0.0 ;; -7.5 % 2 ;; 'a' / 2 ;; 'a' // 2
'a' < 'b' ;; 'b' < 'a' ;; 'a' < 'a' ;; 'a' <= 'a' ;; 'b' <= 'a' ;; 'a' > 'b' ;; 'b' > 'a' ;; 'a' > 'a' ;; 'a' >= 'a' ;; 'a' >= 'b' ;; 'B' < 'a' ;; 'a' < 'ab' ;; 1 < 2 ;; 2 < 1 ;; 2 <= 2 ;; 3 > 2 ;; 3 >= 4 ;; 1 < 1.5 ;; 'a' < 1 ;; 1 < 'a' ;; '10' < '9' ;; 1 < 2 and 2 < 3
yes and 'a' ;; no and 'a' ;; '' or 'b' ;; 'a' or 'b' ;; nil or 'x' ;; nothing or 'x' ;; not yes ;; not nothing ;; not '' ;; not [] ;; not [0] ;; no or 0 ;; yes and no or 'z' ;; 'a' if yes else 'b' ;; 'a' if no else 'b' ;; 'a' if no ;; 'a' if nothing else 'c'
yes ;; no ;; nil ;; nothing ;; 1 ;; 1.0 ;; -0.5 ;; 2.50 ;; 1e3 ;; 12345678901 ;; n ;; x ;; word ;; true ;; True ;; false ;; False ;; none ;; None
' a ' | trim ~ '.' ;; '\x1c\x85a\u3000' | trim ~ '.' ;; '\ufeffa' | trim | length ;; 'xxaxx' | trim('x') ;; 'xyaxy' | trim('xy') ;; 5 | trim ;; nil | trim ;; nothing | trim ~ '.' ;; yes | trim ;; ' a ' | trim(nil) ~ '.' ;; 'a' | trim(5)
5 | string ~ 1 ;; nil | string ;; nothing | string ~ '.' ;; 1.0 | string ;; 'a' | string ;; yes | string | lower
'hELLO wORLD' | capitalize ;; 'éa' | capitalize ;; '' | capitalize ;; 5 | capitalize ;; nil | capitalize ;; nothing | capitalize ;; word | capitalize
'hELLO wORLD' | title ;; 'a-b (cd [ef {gh <ij' | title ;; "it's they're" | title ;; 'a.b a_b' | title ;; nil | title ;; 'a\nb\tc' | title ;; 'ab  cd' | title ;; '' | title
word | upper ;; word | lower ;; nil | upper ;; nil | lower ;; 5 | upper ;; nothing | upper ;; yes | lower
'a-b-c' | replace('-', '+') ;; 'a-b-c' | replace('-', '+', 1) ;; 'a-b-c' | replace('-', '+', 0) ;; 'a-b-c' | replace('-', '+', -1) ;; 'a-b-c' | replace('-', '+', 5) ;; 'a-b-c' | replace('-', '+', nil) ;; 'a-b-c' | replace('-', '') ;; 'abc' | replace('', '.') ;; 'abc' | replace('', '.', 2) ;; 'abc' | replace('', '.', 0) ;; 'a👍' | replace('', '.') ;; 'abc' | replace('', '.', -1) ;; 'abc' | replace('x', 'y') ;; 'a1b' | replace(1, 2) ;; 5 | replace(5, 'x') ;; nil | replace('None', 'x') ;; 'abc' | replace('b') ;; 'abc' | replace ;; 'a-b' | replace('-', nil) ;; 'aaa' | replace('aa', 'b') ;; 'a-b-c' | replace(old='-', new='+') ;; 'a-b-c' | replace('-', '+', count=1)
'a-b-c'.replace('-', '+') ;; 'a-b-c'.replace('-', '+', 1) ;; 'a-b-c'.replace('', '.') ;; 'abc'.replace('b') ;; 'a-b-c'.replace('-', '') ;; 'a-b-c'.replace('-', '+', -1)
'a\nb' | indent ;; 'a\nb' | indent(2) ;; 'a\nb' | indent(2, yes) ;; 'a\n\nb' | indent(2) ;; 'a\n\nb' | indent(2, no, yes) ;; 'a\nb' | indent(width=2) ;; 'a\nb' | indent(2, first=yes) ;; 5 | indent ;; nil | indent ;; 'a' | indent ;; 'a\nb' | indent(0)
'abc' | length ;; wide | length ;; '' | length ;; [1, 2] | length ;; {} | length ;; map | length ;; nothing | length ;; nil | length ;; 5 | length ;; [] | length ;; 'abc' | count ;; [1, 2] | count ;; nothing | count ;; map | count ;; (1, 2) | length ;; 5 | count ;; wide | count
'abc' | list | length ;; wide | list | last ;; wide | list | length ;; nothing | list | length ;; [1, 2] | list | length ;; map | list | first ;; nil | list ;; 5 | list | length
'abc' | first ;; 'abc' | last ;; wide | first ;; '👍a' | first ;; 'a👍' | last ;; [1, 2] | first ;; [1, 2] | last ;; [] | first ;; [] | last ;; '' | first ;; '' | last ;; nothing | first ;; nothing | last ;; (4, 5) | first ;; (4, 5) | last ;; [] | first is defined ;; nil | first ;; 5 | first ;; map | first
many | join ;; many | join(', ') ;; [1, yes, nil, 2.5] | join('-') ;; 'abc' | join('-') ;; wide | join('-') ;; nothing | join ;; nothing | join('x') ;; [] | join('x') ;; ['a'] | join('x') ;; many | join(d='+') ;; many | join(1) ;; nil | join ;; 5 | join ;; map | join('-') ;; (1, 2) | join ;; ['a', nothing, 'b'] | join('-') ;; messages | join(',', attribute='role') ;; messages | join(',', 'role') ;; messages | join(attribute='role')
'é' | tojson ;; [1, nil, yes, 2.5] | tojson ;; {'a': 1} | tojson ;; {'a': {'b': [1]}} | tojson(indent=2) ;; nothing | tojson ;; nil | tojson ;; "a\"b\n" | tojson ;; '<a>&' | tojson ;; {} | tojson ;; [] | tojson ;; messages[0] | tojson ;; 1.0 | tojson ;; {'b': 1, 'a': 2} | tojson ;; {'b': 1, 'a': 2} | tojson(sort_keys=yes) ;; [1, 2] | tojson(indent=1) ;; '\u2028' | tojson ;; '\x7f\x01' | tojson ;; [1,2] | tojson(separators=(',', ':'))
many | sort | join ;; many | reverse | join ;; 'abc' | reverse ;; [3, 1, 2] | sort | join ;; many | sort(reverse=yes) | join ;; [1, 1, 2] | unique | join ;; messages | map(attribute='role') | join(',') ;; many | map('upper') | join ;; messages | selectattr('role', 'equalto', 'user') | list | length ;; messages | rejectattr('role', 'equalto', 'user') | list | length ;; messages | selectattr('role') | list | length ;; [0, 1, 2] | select | join ;; [1, 2] | sum ;; [1, 2] | max ;; [1, 2] | min ;; map | items | list | length ;; map | dictsort | length ;; messages | groupby('role') | list | length
nothing | default('d') ;; nil | default('d') ;; nil | default('d', yes) ;; '' | default('d', yes) ;; 'a' | default('d') ;; nothing | d('e') ;; nothing | default ~ '.' ;; '5' | int ;; 'x' | int ;; 'x' | int(7) ;; '2.5' | float ;; 5.9 | int ;; -3 | abs ;; 2.567 | round(2) ;; 2.5 | round ;; '5' | int + 1 ;; '<a>' | e ;; '<a>' | escape ;; 'a' | safe ;; 'a b c' | wordcount ;; 'abcdef' | truncate(3)
messages[0].role ;; messages[0]['role'] ;; messages[-1].content ;; messages[9] is defined ;; messages[9].role ;; messages[0].nothing ;; messages[0].nothing is defined ;; messages[0].nothing.more ;; nothing.more ;; nothing['more'] ;; nothing.more() ;; nothing[0] ;; map['keys'] ;; map.k ;; map.get('k') ;; map.get('z', 'd') ;; map.get('z') ;; map.items() | list | length ;; map.keys() | list | length ;; map['k'] ;; map[nothing] is defined ;; nil.more is defined ;; nil.more ;; n.more is defined ;; many.length ;; 'abc'.length
'abc'[0] ;; 'abc'[-1] ;; wide[1] ;; wide[::-1] ;; wide[1:] ;; 'abc'[1:] ;; 'abc'[:2] ;; 'abc'[:-1] ;; 'abc'[::-1] ;; 'abcdef'[1:5:2] ;; 'abc'[::0] ;; 'abc'[9] is defined ;; many[1:] | join ;; many[:1] | join ;; many[::-1] | join ;; many[::0] ;; many[::2] | join ;; many[9:] | length ;; many['1'] is defined ;; messages[1:] | length ;; messages[1:][0].role ;; 'abc'[nil:2] ;; 'abc'[::1]
' a '.strip() ~ '.' ;; ' a '.lstrip() ~ '.' ;; ' a '.rstrip() ~ '.' ;; 'xaxb'.strip('x') ;; 'xxa'.lstrip('x') ;; 'axx'.rstrip('x') ;; 'xyaxy'.strip('xy') ;; ' a '.strip(nil) ~ '.' ;; 'a'.strip(5) ;; 'a'.strip('') ;; '👍a👍'.strip('👍') ;; '\x85a\x1f'.strip() ;; '\ufeffa'.strip() | length ;; '   '.strip() ~ '.' ;; '   '.lstrip() ~ '.' ;; 'xx'.strip('x') ~ '.' ;; 'xax'.lstrip('x') ;; 'xax'.rstrip('x') ;; 'aXbX'.rstrip('bX') ;; 'abc'.lstrip('ab') ;; 'abc'.rstrip('bc')
'a b'.split() | length ;; 'a,b,c'.split(',') | join('+') ;; 'a,b,c'.split(',', 1) | join('+') ;; ' a  b '.split() | join('+') ;; ' a  b '.split(' ') | length ;; 'abc'.upper() ;; 'ABC'.lower() ;; 'abc def'.title() ;; 'abc'.capitalize() ;; 'abc'.startswith('a') ;; 'abc'.startswith('b') ;; 'abc'.endswith('c') ;; 'abc'.endswith('a') ;; 'abc'.startswith(('x', 'a')) ;; 'abc'.find('c') ;; 'a'.nomethod() ;; 5.nomethod() ;; many.append('d') ;; ', '.join(many) ;; 'abc'.count('a') ;; 'abc'.index('b') ;; '5'.isdigit() ;; 'a'.zfill(3) ;; 'a-b'.rsplit('-') | join('+') ;; 'a'.format() ;; n.strip() ;; nil.strip() ;; messages[0].strip() ;; messages.strip() ;; 'a'.removeprefix('a') ~ '.' ;; 'a\nb'.splitlines() | length
range(3) | join ;; range(1, 4) | join ;; range(5, 0, -2) | join ;; range(0, 5, 2) | join ;; range(0, 6, 2) | join ;; range(3, 1) | join ;; range(0) | join ;; range() ;; range(1, 2, 3, 4) ;; range('3') | join ;; range(1.5) | join ;; range(0, 1, 0) | join ;; range(100000) | length ;; range(100001) | length ;; range(-2) | length ;; range(-3, 0) | join ;; range(2.0) | join ;; range(nil) | join ;; range(yes) | join ;; range(2)[1] ;; range(1, 10, 100) | join ;; range(0, -3, -1) | join ;; range(0, 100001) | length ;; range(0, 200000, 2) | length
raise_exception('Bad role') ;; raise_exception() ;; raise_exception(5) ;; nosuch() ;; nosuch ;; namespace(a=1).a ;; dict(a=1).a ;; strftime_now('%%')
1 is number ;; 'a' is number ;; 'a' is string ;; 1 is string ;; [1] is iterable ;; 'a' is iterable ;; map is iterable ;; nothing is iterable ;; 1 is iterable ;; nil is iterable ;; yes is iterable ;; (1, 2) is iterable ;; 1 is not iterable ;; 'a' is not iterable ;; map is mapping ;; [1] is mapping ;; [1] is sequence ;; 'a' is sequence ;; nil is none ;; nothing is none ;; nothing is defined ;; nothing is undefined ;; nil is defined ;; nothing is not defined ;; n is odd ;; n is even ;; yes is true ;; no is false ;; 1 is true ;; yes is boolean ;; 1 is integer ;; 1.5 is float ;; 'a' is lower ;; 'A' is upper ;; 'a' is equalto 'a' ;; 'a' is eq('b') ;; 'a' is nosuchtest ;; 'a' is in 'abc' ;; 4 is divisibleby 2 ;; messages[0] is mapping ;; raise_exception is callable ;; nothing.x is defined ;; 'a' is ne 'b' ;; 3 is gt 2 ;; 3 is not odd
1 | nosuchfilter ;; 'a' | nosuchfilter ;; 5 | center(9) ;; 'abc' | center(9) ~ '.' ;; 'abc' | wordwrap(2) ;; '%d' % 3 ;; '%s' | format('a')
['b','A','a','B'] | sort | join ;; ['é','f','z','Z'] | sort | join ;; ['b','a'] | sort(case_sensitive=yes) | join ;; ['b','A'] | sort(case_sensitive=yes) | join ;; [2, 10, 1] | sort | join(',') ;; ['10', '9'] | sort | join(',') ;; {'b': 1, 'A': 2} | dictsort | tojson ;; {'b': 1, 'A': 2} | tojson(sort_keys=yes) ;; {'b': 1, 'a': 2} | items | list | tojson ;; (1, 2) | tojson ;; [(1, 2)] | tojson ;; 1e16 ;; 0.00001 ;; 0.0001 ;; 12345678901234567.0 ;; 10000000000000000.0
1000000.0 * 10000000000.0 ;; [0.00001] | tojson ;; [1.0, 2.5] | tojson ;; {'a': 1.0} | tojson ;; x * 2 ;; 'ß' | upper ;; 'İ' | lower ;; 'ß' | capitalize ;; 'ÉA' | capitalize ;; 'ﬁx' | capitalize ;; 'ΑΣ' | lower ;; ' 5 ' | int ;; '5.7' | int ;; '-3' | int
'0x10' | int ;; '1_000' | int ;; -5.9 | int ;; yes | int ;; nil | int ;; nothing | int ;; 'a' | float ;; '5' | float ;; 5 | float ;; nil | float ;; -2.5 | abs ;; 'abc'.title() ;; "it's".title() ;; 'héllo wörld'.title() ;; 'éa b'.capitalize()
'ABC dEF'.capitalize() ;; 'a👍b'.split('') ;; 'a\x1cb'.split() | join('+') ;; 'a\u00a0b'.split() | join('+') ;; 'a\ufeffb'.split() | join('+') | length ;; 'a--b'.split('--') | join('+') ;; 'a b c'.split(' ', 1) | join('+') ;; 'a b  c'.split(nil, 1) | join('+') ;; 'a,b'.split(',', 0) | join('+') ;; 'a,b,c'.split(',', -1) | join('+') ;; ''.split() | length ;; ''.split(',') | length ;; 'a,b,c'.split(sep=',', maxsplit=1) | join('+') ;; 7.5 % -2 ;; (0 - 7.5) % 2
-7 // 2.0 ;; 7 // 0.5 ;; 2 - 3.0 ;; 3 * 1.0 ;; 6 / 3 ;; 1 + yes ;; yes + yes ;; yes * 2 ;; 'a' * yes ;; [1] * 2 | length ;; -'a' ;; -nil ;; +n ;; - -n ;; n - - 1 ;; [1, 2][-1]
[1, 2][5] ;; [1, 2][-5] is defined ;; 'abc'[-5] is defined ;; wide[-1] ;; wide[-2] ;; wide[3] is defined ;; 'a👍'[1] | length ;; 'abc'[yes] ;; many[yes] ;; many[1.0] ;; map['a'] is defined ;; map.items is defined ;; map.items() | length ;; {'items': [1]}['items'] | length ;; {'get': 1}.get('get')
{'values': 1}.values() | list | join ;; messages[0].get('role') ;; messages[0].get('x') is none ;; 'abc'.length is defined ;; many.length is defined ;; many['length'] is defined ;; x.is_integer() ;; 'abc'['length'] is defined ;; 'abc'.upper is defined ;; nothing is string ;; nothing is mapping
nothing is number ;; nothing is sequence ;; nothing is boolean ;; nothing is true ;; yes is number ;; yes is integer ;; map is sequence ;; map is string ;; (1,) is sequence ;; 'A' is lower ;; 'a1' is lower ;; '1' is lower ;; '' is lower ;; [] is sequence ;; nil is mapping ;; nil is string
nil is number ;; 1.0 is number ;; 2.0 is even ;; 1.0 is integer ;; range(3) is iterable ;; range(3) is sequence ;; namespace() is mapping ;; nothing | upper ~ '.' ;; nothing | replace('a', 'b') ~ '.' ;; nothing | indent ;; nothing | first is defined ;; nothing | sort | join ;; nothing | map(attribute='x') | list | length ;; nothing | selectattr('x') | list | length ;; nothing | items | list | length
nothing | reverse | list | length ;; nothing | unique | list | length ;; nothing | abs ;; nothing | safe ~ '.' ;; nil | items | list ;; nil | sort ;; nil | map(attribute='x') | list ;; 5 | tojson ;; yes | tojson ;; 'a' | tojson ;; yes | length ;; yes | string ~ 1
[nil, yes, 1.0] | join(',') ;; [[1]] | join ;; [{}] | join ;; messages | map(attribute='nothing') | list | length ;; messages | map(attribute='nothing', default='d') | join(',') ;; messages | map(attribute='nothing') | join(',') ;; messages | selectattr('role', 'ne', 'user') | list | length ;; messages | selectattr('role', 'in', ['user']) | list | length ;; messages | selectattr('x', 'defined') | list | length ;; messages | rejectattr('role', 'eq', 'user') | map(attribute='content') | join ;; messages | selectattr('role', 'eq', 'user') | map(attribute='content') | join(' ') ;; messages | last ;; (messages | last).content ;; messages | length ;; messages[-2:] | map(attribute='role') | join ;; messages[:-1] | length
messages | reverse | list | length ;; (messages | reverse | list)[0].content ;; many | unique | join ;; ['a', 'A', 'a'] | unique | join ;; [1, 1.0, yes] | unique | join(',') ;; [3, 1] | sort | first ;; many | sort(reverse=true) | first ;; messages | sort(attribute='content') | map(attribute='content') | join ;; many | join | upper ;; 'abc' | sort | join ;; 'a' if n > 2 else 'b' ;; 'x' if n is odd ;; ('a' if no) is defined ;; ('a' if no) ~ '.' ;; n == 3 and x == 2.5 ;; not n == 3
not n in [3] ;; n not in [3] ;; n is not none ;; n is defined and n ;; 'a' ~ 'b' == 'ab' ;; 1 + 2 ~ 3 ;; 2 * 3 ~ 1 ;; 'a' + 'b' | upper ;; ('a' + 'b') | upper ;; -2 | abs ;; not yes or yes ;; 1 < 2 < 3 ;; 1 < 3 < 2 ;; 1 == 1 == 1 ;; n > 1 and 'a' or 'b' ;; 2 ** 3 ** 2
2 ** -1 ;; -2 ** 2 ;; 10 - 2 - 3 ;; 12 / 2 / 3 ;; 7 - 2 * 3 ;; (7 - 2) * 3 ;; 7 % 4 * 2 ;; {'a': 1}.a ;; {'a': 1}['a'] ;; {1: 'x'}[1] ;; {n: 'x'}[3] ;; {'a': nil}.a ;; {'a': nothing}.a is defined ;; [1, 2,] | length ;; {'a': 1,} | length ;; 'it\'s'
"a\tb" ;; 'a\\b' ;; 'a\'b' ;; "a'b" ;; 'a' 'b' ;; 'a\qb' ;; 'a\u00e9' ;; 'a\x41'
1e300 ;; 1e-300 ;; 0.1 ;; 123456.789 ;; 1000000000000000.0 ;; 9999999999999998.0 ;; 0.00012 ;; 1.5 | tojson ;; -0.0 ;; -0.0 | tojson ;; [0.1, -2.0] | join(' ') ;; 0.000012345 ;; 123456789012345678.0
'5abc' | int ;; '5abc' | float ;; '1e3' | float ;; '1e3' | int ;; '.5' | float ;; '5.' | float ;; '-.5' | float ;; '+5' | int ;; '5 5' | int ;; '' | int ;; '1__0' | int ;; '1_0.5' | float ;; '_1' | int ;; '1_' | int ;; 'x' | float(2.5) ;; 'x' | int('d') ;; '1e-2' | float ;; '12' | float ;; 'e5' | float ;; '.' | float ;; 5.0 | float ;; 5 | int ;; no | int ;; no | float ;; 'ff' | int(0, 16) ;; many | int ;; map | float ;; '5' | int(default=7) ;; 'x' | int(default=7) ;; '\x1c5' | int
[1] | tojson(indent=0) ;; [] | tojson(indent=2) ;; {} | tojson(indent=2) ;; [[1], {'a': []}] | tojson(indent=1) ;; [1, 2] | tojson(indent=nil) ;; [1, 2] | tojson(indent=-1) ;; {'a': 1, 'b': [1, 2]} | tojson(indent=2, separators=(';', '=')) ;; {'b': {'d': 1, 'c': 2}, 'a': 3} | tojson(sort_keys=yes) ;; {'a': 1} | tojson(sort_keys=no) ;; 'é👍\x7f' | tojson(ensure_ascii=yes) ;; {'é': 1} | tojson(ensure_ascii=yes) ;; 'é' | tojson(yes) ;; [1] | tojson(no, 2) ;; [1, 2] | tojson(no, nil, (',', ':')) ;; {'b': 1, 'a': 2} | tojson(no, nil, nil, yes) ;; [1] | tojson(nosuch=1) ;; [1] | tojson(no, nil, nil, no, no) ;; [1, 2] | tojson(separators=nil) ;; [1, 2] | tojson(separators=(',',)) ;; [1, 2] | tojson(separators=5) ;; [nothing] | tojson ;; {'a': nothing} | tojson ;; namespace(a=1) | tojson ;; [raise_exception] | tojson ;; [1, 2] | tojson(separators=[', ', ': ']) ;; [1] | tojson(indent='x') ;; (1, (2, 3)) | tojson ;; [yes, no, nil] | tojson ;; 'a' | tojson(indent=2) ;; {'a': {}} | tojson(indent=2) ;; 5 | tojson(indent=2) ;; messages | tojson ;; messages | tojson(indent=2)
'aB' is lower ;; 'AB' is upper ;; 'Ab' is upper ;; '1A' is upper ;; '12' is upper ;; 'é' is lower ;; 'É' is upper ;; 'É' is lower ;; 'ab' is not lower ;; 5 is lower ;; nil is upper ;; no is number ;; no is integer ;; nothing is not sequence ;; 5 is sequence ;; yes is string ;; map is not iterable ;; namespace(a=1) is iterable
'a b c'.split(maxsplit=1) | join('+') ;; 'a,b,c'.split(',', maxsplit=1) | join('+') ;; 'a,,b'.split(',') | join('+') ;; '  a b '.split(nil) | join('+') ;; ' a b  c '.split(nil, 1) | join('+') ~ '.' ;; 'a b'.split(nil, 0) | join('+') ;; '  '.split() | length ;; 'a b'.split(5) | join('+') ;; 'a b'.split(' ', 'x') | join('+') ;; 'abab'.split('b') | join('+') ;; 'a-b-c'.split('-', 5) | join('+') ;; 'a-b-c'.split('-', 2) | join('+') ;; 'a\x85b\u3000c'.split() | join('+') ;; 'a b c d'.split(nil, 2) | join('+')
'o\'NEIL mcX'.title() ;; 'ab1cd'.title() ;; ''.title() ;; 'ÉCOLE été'.title() ;; ''.capitalize() ;; 'éCOLE'.capitalize() ;; '1aB'.capitalize() ;; 'ﬁx' | title ;; '𐐨𐐀' | capitalize ;; 'ß'.title() ;; 'a_b'.title() ;; '𐐨b'.capitalize()
messages[0]['get'] is defined ;; {'get': 5}['get'] ;; {'items': 5}['items'] ;; {'keys': 5}.keys() | list | join ;; {'a': 5}['items'] is defined ;; namespace(get=5).get ;; namespace(a=1).b is defined ;; wide[0] ;; wide['x'] is defined ;; 'abc'[1] ;; (1, 2)[1] ;; (1, 2)[-1] ;; (1, 2).length is defined ;; [[1, 2], [3]][1][0] ;; 'abc'[0].upper() ;; many[n] is defined ;; many[n - 1] ;; map[word] is defined ;; messages[n - 3]['ro' ~ 'le'] ;; messages[0]['role'][0] ;; 'abc'[x] ;; many['a'] is defined ;; {'length': 5}.length ;; {'length': 5}['length'] ;; 'a👍'[::2] ;; 'abc'[2:0:-1]
many | first | upper ;; 'a👍' | join('.') ;; {'b': 1, 'a': 2} | join ;; {'b': 1} | first ;; {'b': 1} | last ;; {} | first is defined ;; {'b': 1, 'a': 2} | last ;; {'b': 1} | list | join ;; (1, 2) | list | length ;; (3, 4) | unique | join ;; [[1], [1]] | unique | list | length ;; ['B', 'b', 'c'] | unique | join ;; ['a', 'A'] | unique(yes) | join ;; ['a', 'A'] | unique(case_sensitive=yes) | join ;; 'aab' | unique | join ;; 5 | last ;; yes | join ;; yes | list ;; namespace(a=1) | length ;; raise_exception | length ;; many | join(nil) ;; many | join(nothing) ;; many | join([1]) ;; many | join(', ', nil) ;; many | count ;; 'abc' | trim('c') ;; 'abc' | trim(chars='a') ;; many | trim ;; many | upper ;; many | string | length ;; map | trim ;; 'abc' | upper | lower ;; 5 | title ;; 2.50 | string ;; 1.0 | trim
10 % 4 ;; -10 % 4 ;; 10 % -4 ;; 0 % 5 ;; -4 % 4 ;; 4 % -4 ;; 5.5 % 5.5 ;; -1 % 0.75 ;; 1 % 0.75 ;; 7 % 2.0 ;; 7.0 % 2 ;; 0.0 % 3 ;; 1 // 0.0 ;; 1 % 0.0 ;; yes % 2 ;; 'a' % 2 ;; nil / 2 ;; 2 / nil ;; 2 / 'a' ;; [1] / 2 ;; 7 // -2 ;; -7.5 // 2 ;; 1 ~ 1 ~ 1 ;; 'a' - 'b' ;; [1] - [1] ;; nil + nil ;; nil + 1 ;; {} + {} ;; (1, 2) + (3,) | length ;; ((1, 2) + (3, 4)) | length ;; ([1] + [2, 3]) | join ;; nil < 1 ;; nothing < 1 ;; [1] < [2] ;; nil * 2 ;; 'ab' * 1.0 ;; 1.0 * 'ab' ;; 'a' * 2 * 2 ;; 0 * 'a' ;; -1 * 'a' ~ '.'
1 in nil ;; 1 in 5 ;; nothing in [1] ;; nil not in 'a' ;; yes in 'a' ;; [1] in 'a' ;; 'a' in ['b', 'a'] ;; 'a' in ('b', 'a') ;; 1 in namespace(a=1) ;; 'a' in raise_exception ;; yes in map ;; 2 in [1, [2]] ;; [2] in [1, [2]] ;; 'role' in messages[0] ;; 'x' in messages[0] ;; 'nil' not in nothing ;; 1.5 in [1.5] ;; '👍' in wide ;; '' in '' ;; nil in [1] ;; nil in nothing
range == range ;; range != range ;; messages == messages ;; messages != messages[1:] ;; (1, 2) == [1, 2] ;; 1 == nothing ;; nothing == nil ;; nothing != nothing ;; no == nil ;; 1.5 == 1.5 ;; yes == yes ;; yes != no ;; {'a': {'b': 1}} == {'a': {'b': 1}} ;; {'a': {'b': 1}} == {'a': {'b': 2}} ;; {'a': nil} == {'b': nil} ;; {'a': nothing} == {'b': nothing} ;; 'abc' == 'abd' ;; [1, 2, 3] == [1, 2, 4] ;; [[]] == [{}]
-range(3)[1] ;; range(3) | length ;; range(2, 2) | length ;; range(2, 3) | join ;; range(0, 10, 3) | join(',') ;; range(10, 0, -3) | join(',') ;; range(0, 10, -1) | length ;; range('a') | length ;; range(1, nil) | length ;; range(1, 2, 0) | length ;; range(-1) | join ;; range(0, 1, 5) | join ;; range(99999, 0, -1) | length ;; range(-100001, 0) | length ;; range(0, 100000, 1) | length
"""
# Whole templates, one a line; \n in them is a line's end.
TEMPLATES = r"""
{% for m in messages %}{{ m.role }}{% endfor %}
{% for m in messages %}{{ loop.index }}{{ loop.index0 }}{{ loop.first }}{{ loop.last }}{{ loop.length }} {% endfor %}
{% for m in messages %}{% if loop.index == 2 %}{% break %}{% endif %}{{ loop.index }}{% endfor %}.
{% for m in messages %}a{% if loop.index == 2 %}b{% break %}{% endif %}c{% endfor %}.
{% for m in messages %}a{% if loop.index == 2 %}b{% continue %}{% endif %}c{% endfor %}.
{% for m in messages %}{% for c in 'xy' %}{{ c }}{% if c == 'x' %}{% break %}{% endif %}{% endfor %}-{% endfor %}.
{% for m in messages %}{% for c in 'xyz' %}{% if c == 'y' %}{% continue %}{% endif %}{{ c }}{% endfor %}-{% endfor %}.
{% for a in [1, 2, 3] %}{% if a == 1 %}{% continue %}{% endif %}{{ a }}{% if a == 2 %}{% break %}{% endif %}{% endfor %}.
{% for a in [1, 2] %}{% set s = a %}{% endfor %}{{ s }}.
{% set s = 0 %}{% for a in [1, 2] %}{{ s }}{% set s = a %}{{ s }}{% endfor %}{{ s }}.
{% for a in [1, 2] %}{{ s is defined }}{% set s = a %}{% endfor %}
{% for a in [1] %}{{ a }}{% endfor %}{{ a is defined }}
{% for c in 'a👍b' %}{{ c }}.{% endfor %}
{% for k in map %}{{ k }}{% endfor %}
{% for k, v in map.items() %}{{ k }}={{ v }};{% endfor %}
{% for k, v in {'a': 1, 'b': 2} | items %}{{ k }}={{ v }};{% endfor %}
{% for a, b in [[1, 2], [3, 4]] %}{{ a }}{{ b }};{% endfor %}
{% for x in nothing %}x{% else %}none{% endfor %}
{% for x in [] %}x{% else %}none{% endfor %}
{% for x in [1] %}x{% else %}none{% endfor %}
{% for x in nil %}x{% endfor %}
{% for x in 5 %}x{% endfor %}
{% for x in [1, 2, 3] if x != 2 %}{{ x }}{{ loop.index }}{% endfor %}
{% for x in 'abc' if x != 'b' %}{{ x }}{% endfor %}
{% for x in nothing if x %}{{ x }}{% else %}none{% endfor %}
{% for x in range(3) %}{{ x }}{% endfor %}
{% for x in [1, 2] %}{{ loop.previtem | default('-') }}{{ loop.nextitem | default('-') }}{% endfor %}
{% for x in [1, 2] %}{{ loop.cycle('a', 'b') }}{% endfor %}
{% for x in [3] %}{{ loop.revindex }}{{ loop.revindex0 }}{% endfor %}
{% set x = 5 %}{{ x }}
{% set x, y = 1, 2 %}{{ x }}{{ y }}
{% set x %}a{{ n }}b{% endset %}[{{ x }}]
{% set x | upper %}ab{% endset %}{{ x }}
{% set ns = namespace(n=0) %}{% for m in messages %}{% set ns.n = ns.n + 1 %}{% endfor %}{{ ns.n }}
{% set ns = namespace() %}{% set ns.a = 'x' %}{{ ns.a }}{{ ns.b is defined }}
{% if yes %}a{% else %}b{% endif %}
{% if no %}a{% elif n == 3 %}c{% else %}b{% endif %}
{% if nothing %}a{% endif %}.
{% if [] %}a{% else %}b{% endif %}{% if [0] %}a{% else %}b{% endif %}{% if {} %}a{% else %}b{% endif %}{% if '' %}a{% else %}b{% endif %}{% if 0 %}a{% else %}b{% endif %}{% if 0.0 %}a{% else %}b{% endif %}
{% if yes %}{% set z = 1 %}{% endif %}{{ z }}
{% macro f(a) %}({{ a }}){% endmacro %}{{ f(1) }}{{ f('x') }}
{% macro f(a, b='d') %}{{ a }}{{ b }}{% endmacro %}{{ f(1) }}{{ f(1, 2) }}{{ f(1, b=3) }}{{ f(b=1, a=2) }}
{% macro f(a) %}{{ a }}{% endmacro %}{{ f() }}.
{% macro f() %}{{ caller() }}{% endmacro %}{% call f() %}in{% endcall %}
{% macro f() %}{{ caller('x') }}{% endmacro %}{% call(a) f() %}<{{ a }}>{% endcall %}
{% macro f(a) %}{% if a %}{{ a }}{{ f(a - 1) }}{% endif %}{% endmacro %}{{ f(3) }}
{% macro f(a) %} {{ a }} {% endmacro %}{{ f('q') | trim }}.
{% macro f() %}{% for c in 'ab' %}{{ c }}{% endfor %}{% endmacro %}[{{ f() }}]
{% filter upper %}a{{ n }}b{% endfilter %}
{% filter replace('a', 'b') %}aXa{% endfilter %}
{% filter trim %}  a  {% endfilter %}.
{% filter nosuchfilter %}a{% endfilter %}
{# comment #}a{# more #}
{% raw %}{{ a }}{% endraw %}
  {% if yes %}\na\n  {% endif %}\nb
a\n{%- if yes %}\nb\n{%- endif -%}\nc
{{ 'a' }}\nb\n{{- 'c' }}\n
a \n {{- 'b' -}} \n c
a\n\n
{% if yes -%}\n  a\n{%- endif %}\n\nb
{{ [1, 2] }}
{{ map }}
{{ (1, 2) }}
{{ messages }}
{{ namespace(a=1) }}
{{ range(3) }}
{{ 'a' ~ [1] }}
{% generation %}a{% endgeneration %}
{% set a = [1] %}{{ a[0] }}{% set b = {'x': {'y': 'z'}} %}{{ b.x.y }}{{ b['x']['y'] }}
{% set key = 'role' %}{{ messages[0][key] }}
{{ messages[0].nothing.more }}
{{ nothing.more.yet }}
{{ (nothing).x }}
{{ messages[7]['role'] }}
{{ [nothing][0].x }}
{{ nothing.x() }}
{% include 'x' %}
{% extends 'x' %}
{% if %}
{% for %}
{{ }}
{{ 'a' 'b' }}
{{ 1 + }}
{% endif %}
{% if yes %}
{% nosuch %}
{{ 'unended }}
{{ ( }}
{{ a b }}
{% for m in messages %}
{% do 1 %}
{% with a = 1 %}{{ a }}{% endwith %}
{% set a = 1 if yes else 2 %}{{ a }}
{% for m in messages %}{{ '[' ~ m.role ~ ']' }}{% if not loop.last %},{% endif %}{% endfor %}
{% for a in [1, 2, 3, 4] %}{% for b in [1, 2, 3] %}{% if b == 2 %}{% break %}{% endif %}{{ a }}{{ b }}{% endfor %}{% if a == 3 %}{% break %}{% endif %}{% endfor %}.
{% for a in [1, 2] %}x{% for b in [1, 2] %}y{% break %}z{% endfor %}w{% endfor %}.
{% for a in [1, 2] %}{% set t %}in{% endset %}{{ t }}{% continue %}no{% endfor %}.
{% for a in [1, 2] %}{% if a == 1 %}p{% if yes %}q{% continue %}{% endif %}{% endif %}r{% endfor %}.
{% macro f() %}{% break %}{% endmacro %}{{ f() }}
"""

# Texts that look like tags, tags within texts, and blanks around both; then values of all kinds under every filter, test, method and operator, and blocks within blocks. With JSON's escapes.
SOURCES = r"""
{%- if yes -%}{%- else -%}{{- 'a\nb' }}{%- endif %}  
{{ '  {#' }}{{ {'a':{'b':1}}.a.b -}}{{- (n) }} \n
{% set z = 1 -%}{#- c -#} \n
{{ {'a':{'b':1}}.a.b }}c%}\nd{% set z = 1 -%}
{{ '}}' }}{{ {'a':{'b':1}}.a.b -}}{% filter upper %}{% endfilter %}
{% set z = 1 %}  {-x\n
\\n{% if yes %}{% endif -%}
{# - #}  \fb ' \ufeffa\n\n
# x\n\n  a{%- set z = 1 %}{{ n-1 }}
{%- set z = 1 %}{{- "q" }}
{%+ set z %}{% endset %}{{ z }}}}-}\n
{{- {'a':{'b':1}}.a.b }}{{ messages[0].role }}\n\n
x\n\n y{%- raw %}}\n"}}{{ x }}{% if %} {% endraw %}{{ 'a\nb' -}}  \f
# x\n{% generation %}# x\n  \f# x\n{%- endgeneration %}-}\n{
}}  {-xc%}\nd{% set z = 1 %}
\n\n{# a\nb -#}{{ '%}\\n' }}
{##}
%}  # y{% if yes -%}# x\n  {-x  {{- '  {% x' }}{%- endif -%}
{# - #}  # y
\n\n  \f\n   \n
{% for i in [] -%}{# c #}{% else -%} {% endfor %}x\n\n y
{{- '}}' }}{# c #}
{{ n }}{%- if yes %}a -{% endif %}-}\n \n
{%- if no %}{%- if no -%}\n{-\n\u2028{% endif %}{#- {{ x }} #}{% endif %}
{# a\nb -#}{{ '}}' }}
\ufeff{{- n }}
{{ '#}' }}\u00a0 
{{ (n) }}{# {{ x }} -#}{{ messages[0].role }}%}{\r\n
{{- n-1 }}{#--#}
{%- set z = 1 +%}
\n}\n{% generation %}{% endgeneration %}}\n
# x\n{%- if yes %}{% endif %}
{# a\r\nb #}{{ {'a':{'b':1}}.a.b -}}{# {% if %} #}\r\n\r\n
{# a\nb #}{% if yes %}{{- '-}\n' }}{%- endif %}{# a\nb #}
a -\n{% if no %}{% set z = 1 %}c%}\nd\u2028{% endif -%}
{{ '  {#' -}}{{ '\n  {%' }}
{{ '\n  {%' }}{%- raw -%}}\nx\n\n y{{ x }}{% if %}x\n\n y{%- endraw +%}
\u00a0\n  {-\n"\n\n\n
{# a\nb #}{{- '  {% x' }}\n
{{ 'a\nb' }}%}"{{ {'a':1}['a'] }}
{% generation %}a'{% endgeneration -%}  
{% if yes %}  # y{% endif %}{# {{ x }} -#}\n
{{ (n) }}{{- '  {% x' }} \n
  # y{% for i in range(2) -%}{##}{{ '\n  {%' }}{%- endfor %}
{{ {'a':1}['a'] }}\n{-\n\n\n
#}\n%}{% set z = 1 %}{%- for i in range(2) -%}}\n# x\n{% endfor %}\n\n
}}\n  a{{ {'a':1}['a'] }}{# - #} \n
{% set z = 1 %}# x\n\u2028-}\n
\t\ufeff{{- '  {#' }}{# c #}
{% set z = 1 %}{{ '\n  {%' }}{# - #}
{% raw %}%}{{ x }}{% if %}\u2028"{% endraw -%}b 
\t\\n%}{{- n }}\n
# x\n{{ '#}' }}{{ n }} \n
{{ "q" -}}{% generation %}{%- endgeneration -%}\n
 \u2028
{{ {'a':1}['a'] -}}  {-x{{ '  {% x' -}}
{%- raw -%}\n{{ x }}{% if %}{%- endraw %}{{ '  {#' -}}{% set z = 1 +%}
{%- set z = 1 %}{% set z = 1 %}
{# {{ x }} #}\u00a0
{% filter upper +%}{# a\nb #}{%- endfilter -%}{{- '  {#' }}\n
\n#}\n{%- for i in [] %}{{ '#}' }}{% endfor -%} \n
{% set z = 1 %}{% macro f(a) -%}{#-#}{% endmacro %}{{ f(1) }}
  # y"{{- '  {#' -}}{\n
'x\n\n y{{ 'x'  -}}{{- {'a':{'b':1}}.a.b }}}\n\n\n\n
{{- messages[0].role -}}{{ '  {#' }}\n
\n  {{ '  {% x' -}}{% if yes %}{{- n-1 }}{% endif %}{{ '#}' }}
\n  # y\n  {{- '#}' }}\n  \n\n
\ufeff{{- '#}' }}{{ 'a\nb' }} \n
{{ '-}\n' }}{{- {'a':{'b':1}}.a.b -}}a  # y{{ '\n  {%' }}
-}\n\n
# x\n{-\n{{- (n) -}}#}\n{{ '#}' }}
{{ '\n  {%' }} {% if yes %}#}\nx\n\n y{%+ else -%}{{ '-}\n' }}{%- endif %}
{% set z -%}{{ n-1 }}{%- endset %}{{ z }} \n
{{ n-1 -}}c%}\ndx\n\n y{% for i in range(2) %}'}\nb {% endfor %}\n  
"}}%}'{% if no %}{% set z = 1 %}{% endif -%}{%- set z = 1 %}\n
\n{ %{#- - #}
  {-x}\n}\n{% raw %}{{{ x }}{% if %}}\na -}}{%- endraw %}%}
\n{{ '}}' }}{% raw %}c%}\nd{{ x }}{% if %}\t{%- endraw %}{{ 'a\nb' -}}\n\n
a{-\n\n{{ 'a\nb' -}}{%- if no %}\ufeff\ufeff {% else -%}{# {{ x }} -#}{% endif -%}
\t{# c #}
}}  {% set z %}{#' -#}{%- endset %}{{ z }}\n
"{% if no %} {% generation %}  {-x{% endgeneration -%}{%- endif -%}\n
\n  }\n\ufeff{% for c in "ab" %}{% endfor +%}{#- c #}{{ (n) -}}
{# {% if %} #}{{- {'a':1}['a'] -}}
{%- if yes %}{{ '\n  {%' }}{%- endif %}"  # y\t" \n
c%}\r\nd\r\na{% set z = 1 %}
{% set z = 1 %}{##}
{# a\nb -#}\n  
%}{# {{ x }} #}
{%- raw %}{ %{{ x }}{% if %} x\n\n y'{% endraw +%}b 
{#' #}{# c -#}\n\n
\n\n#}\n
{{- {'a':1}['a'] }}\u00a0\u00a0
{% for i in [] %}\\n  # y{%- endfor %}{# - #}{% set z = 1 -%}
{%- set z = 1 %}{% if no %}}\n{% endif %}
b {#-' #}\n\n
{{ 'a\nb' -}}{% generation %}"{% endgeneration %}{{- '%}\\n' -}}

{{- '  {#' -}}}}# x\n{##}{{ '%}\\n' }}
{%- if no %}\u00a0{% if no %}{# a\r\nb #}{% endif %}{% endif -%}{{ n }} \r\n
# x\n{%- if yes %}\nb {% endif %}
{{- '%}\\n' }}{{ '-}\r\n' }}{##}
{% if yes -%}{# - -#}{% endif %}{#' -#}
{%+ raw %}\n\n{{ x }}{% if %}\n  {%- endraw %}{{ 'x'  -}} \n
{#--#}\u2028
'{ %{{ n }}
a
{#- c -#} -}\na -
{%- raw %}{ %{{ x }}{% if %}}}{% endraw -%}{{ '}}' }}
{% if no -%}{{ '%}\\n' -}}{%- endif %}
{{ '#}' }}  \f{# c -#}{%- for i in range(2) %}a{% endfor -%}
\n  {% generation %}{ %{%- endgeneration %}{{- 'a\nb' }}\n\n
{{ (n) }}\n
\t  \f\ufeffb 
a -{{ '  {#' }}{{- 'x'  }}
{% generation -%}\n\n{%- endgeneration -%}{%- set z = 1 -%}\n\n
\t%}-}\n{% if no %}{#- - #}{% else %}{{ {'a':{'b':1}}.a.b }}{% endif %}
{{ n -}}{% if no %}{{ "q" -}}{%- endif %} \n
\u2028x\n\n y{% for c in "ab" %}{{ {'a':1}['a'] }}{% endfor %}
\n  x\n\n y{#-' -#}\n
{{ '#}' }}\n
{{ {'a':{'b':1}}.a.b -}}{#-' #} \n
{# c #}b 
{%- if yes -%}{% endif %}\n
{{ '#}' }}#}\n{{ '  {#' }}
\n{{ '}}' }}
}}c%}\nd"{{ n }}{{ '#}' }}
\u2028\u00a0{-\n{{- '#}' }}{# {{ x }} #}{{ '  {#' -}}
}}{{- n -}}\n\n
{# {% if %} -#}{ %
%}\n"  
{{ '\n  {%' }}x\n\n y\t
  \f{{- {'a':{'b':1}}.a.b }}\t{# c -#}
{{- messages[0].role }}\u2028{{ n }}
{{ 'x'  -}}{% for c in "ab" -%}{{ (n) }}{% endfor %}{# - #}\n\n
{{ '#}' -}}{{- '#}' -}}
\u2028{{- {'a':{'b':1}}.a.b }}{%- set z = 1 %}
{% for m in messages -%}{#' -#}{% else %}\n\n#}\n{%- endfor -%}a%}
\n"
{{ '  {% x' -}}{%+ for i in [] %}{% set z = 1 %}{% endfor -%}
{{- 'x'  }}{%- set z = 1 %}{# {{ x }} #}{# - #} \n
  {-x{% if no %}{{ {'a':{'b':1}}.a.b }}{%- endif %}  # y
{{ n }}{{ '\n  {%' -}}
\u00a0"'\n\n
\u00a0#}\n{{- '\n  {%' }}
\u00a0c%}\nd{% for m in messages -%}{% endfor %}%}\n  \n\n
{% filter upper %}{#' -#}{%- endfilter %}# x\n\n
{{ n -}}{% for c in "ab" %}{{ '  {% x' }}{% endfor %}\n\n
\u00a0{# - #}
{#-' #}{#' #}-}\n
{{ 7|float(false) }}
{{ +9007199254740993 }}
{{ 12345678901234567890 or '\u0149a' }}
{{ {} == nil != ['a','A','b'] }}
{{ ('y' if (false|safe) else 'n') }}
{% if 0|safe %}y{% else %}n{% endif %}
{{ 'inf'|float }}
{% if '\u2167x \u24d0b'.removeprefix %}y{% else %}n{% endif %}
{{ '0x1f' == 'a1' != 'a1' }}
{{ ' 12 '|safe and 9007199254740993 }}
{{ '\u0391\u03a3 \u03a3'.capitalize() }}
{{ (['\ud83d\ude00','\\uffff'] is lower)|string }}
{{ nothing|default(default_value=0) }}
{% if []|rejectattr('n') %}y{% else %}n{% endif %}
{{ 12345678901234567890|abs }}
{{ (yes|safe)|tojson }}
{{ 'a1'|int(base=' ') }}
{% for a in word.rsplit() %}{{ a }}{{ loop.index }},{% else %}none{% endfor %}
{{ {} is mapping }}
{% if map is sameas 1 %}y{% else %}n{% endif %}
{{ '1_0'|first }}
{{ ([2.5,1] ~ none)|list|tojson }}
{{ ('3.7' is boolean) ~ "." }}
{{ {'a':1.0}|default(boolean=false) }}
{{ ('y' if (1.5|d()) else 'n') }}
{{ 'ABC' is integer }}
{{ '\u00df'|title }}
{{ ('y' if (yes is not even) else 'n') }}
{{ 1.5 ~ -1 }}
{{ (map.0) ~ "." }}
{{ ('\u02bcn\u00b2'|min(3)) ~ "." }}
{{ yes // x }}
{{ messages[2].l|map('z') }}
{{ 'a1'|tojson }}
{{ messages[0] is defined }}
{{ '\u02bcn\u00b2'[1:] }}
{{ '\u01c6' in '12abc' }}
{{ messages[1] and -1 }}
{{ ('y' if (messages[2]|urlencode) else 'n') }}
{{ ("o'neil 3rd"[none])|list|tojson }}
{{ 'ABC'[-1] }}
{{ {'a':1.0} in [none,0,'',1] }}
{{ '\ud83d\ude00x'|max(' ') }}
{{ 'nan' or yes }}
{{ '\u2167x \u24d0b' != [[1,2],[3,4]] }}
{{ '\u00e9' not in 2.0 ~ '\ufb01x' }}
{{ '\u0149a'.isupper() }}
{{ ['b','A','c','a'] and 'nan'|length }}
{{ n ** 7 }}
{{ 'a1'|upper }}
{{ 0.5|reject('role', 'string') }}
{{ ('abc' != 2.0)|tojson }}
{{ '\u0663'[0] }}
{{ ('y' if ('abc' or yes <= yes) else 'n') }}
{{ wide is mapping }}
{% if 'abc' and x %}y{% else %}n{% endif %}
{{ 'a1'|format }}
{{ messages[2].l is not defined }}
{{ many|select }}
{{ [3,1,2]|truncate }}
{{ '12abc' in messages[0].content or 0.1 }}
{{ {'a':1,'B':2}|xmlattr }}
{% if ('\u01c6'[1]) ~ "." %}y{% else %}n{% endif %}
{{ (['\ud83d\ude00','\\uffff']|lower)|string }}
{{ 'a\\nb\\n\\nc' or '-7' }}
{{ (1,2)|capitalize() }}
{{ (-2 is not callable -1)|tojson }}
{{ '-7'|wordwrap }}
{{ (wide and 'ABC' % {'items':5})|tojson }}
{{ 'a\\nb\\n\\nc'[3:0:-1] }}
{{ ('y' if (yes is number) else 'n') }}
{{ 'x,y,,z'[1] }}
{{ -1|e == '  lead' }}
{{ map.keys() ~ [] }}
{{ messages[0]|string }}
{{ ({'a':1,'B':2}|first)|string }}
{{ ('a-b c_d' is sequence)|tojson }}
{{ (false|lower)|join("|") }}
{{ (false|replace('x', 1, 3))|list|tojson }}
{{ messages[0].content|groupby(false) }}
{{ ['b','A','c','a'] ~ 'a-b c_d'|center }}
{{ 12345678901234567890 is not false < 1.0 }}
{{ true|abs }}
{{ ({'a':1,'B':2}.get(0)) ~ "." }}
{{ (12345678901234567890 is none)|items }}
{{ ['b','A','c','a']|float(default=true)|selectattr(attribute='z') }}
{{ ('y' if ([1,2,3] == '12abc' not in -2) else 'n') }}
{% if x|e %}y{% else %}n{% endif %}
{{ '1e3'|indent }}
{{ '1e3' is not test }}
{% if (' 12 '.strip())|join("|") %}y{% else %}n{% endif %}
{{ 'x,y,,z'|length() }}
{{ ({'a':1.0} is not upper)|tojson }}
{% for a in none|title %}{{ a }}{{ loop.index }},{% else %}none{% endfor %}
{{ false|selectattr('upper') }}
{{ 'abc'[1:3] }}
{{ [3,1,2] == '\u2167x \u24d0b' }}
{{ messages[2].l|batch(linecount=0) }}
{% for a in ['\u00e9','z','a']|title %}{{ a }}{{ loop.index }},{% else %}none{% endfor %}
{% if 'a-b c_d' is test %}y{% else %}n{% endif %}
{{ 0 != '  lead' in (1,2) }}
{{ {} is sequence }}
{{ 0.1|escape }}
{{ '\u00e9' is string }}
{{ ('y' if ({}|float(default='A')) else 'n') }}
{{ (true is not lower)|urlize }}
{{ true|slice('b') }}
{{ [1,2,3]|length }}
{{ "o'neil 3rd"|float('x') }}
{{ {'a':1,'B':2}|d(true) }}
{{ ' 12 '|urlize(none, 3, ',') > '\u2167x \u24d0b' }}
{{ wide|indent() }}
{{ ('y' if ('\ud83d\ude00x' is eq(2)) else 'n') }}
{{ ([[1,2],[3,4]].k)|list|tojson }}
{{ nothing|unique('x', attribute=100) }}
{{ ('abc'|d()) ~ "." }}
{{ ('inf' == {'items':5})|tojson }}
{{ (not map)|string }}
{{ [1,2,3] is not boolean }}
{{ 'inf'|d }}
{{ messages[2].l[3:0:-1] }}
{{ 1 // -1 }}
{{ 1.0 is odd }}
{{ ('a\ud83d\ude00b'|upper) ~ "." }}
{{ (nothing|default(boolean=' ')) ~ "." }}
{{ (messages|last)|string }}
{{ none|title() }}
{{ 'abc'|upper }}
{% for a in 0.5|striptags %}{{ a }}{{ loop.index }},{% else %}none{% endfor %}
{% if messages[0] is iterable %}y{% else %}n{% endif %}
{{ ['a','A','b'] is not float }}
{{ ('y' if (yes|trim) else 'n') }}
{{ ''.split() }}
{{ yes == [1,2,3] }}
{{ ('Hello World'.upper())|join("|") }}
{{ 'a\\nb\\n\\nc' is not false }}
{{ (100000|wordcount)|string }}
{{ 'a\ud83d\ude00b'|capitalize() }}
{% if 'a1'|int(0) %}y{% else %}n{% endif %}
{{ [2.5,1] and 'a\\r\\nb' < 'x,y,,z' }}
{{ true <= yes }}
{% if 0 is integer %}y{% else %}n{% endif %}
{{ '  lead'|max }}
{{ [3,1,2]|float }}
{{ true is not false }}
{{ '3.7' != true }}
{{ {'b':[1,none],'a':{'c':true}} is mapping }}
{{ (1,2) is callable|e }}
{{ false and nil % '1e3' }}
{{ {'a':1,'B':2} is integer }}
{{ '\u00df' in '\u2167x \u24d0b' >= nil }}
{{ '\u2167x \u24d0b'|wordcount }}
{{ nothing is iterable }}
{{ n != 'a\\r\\nb' }}
{{ '\u00e9'|title }}
{{ 3|escape }}
{{ (['a','A','b']|d)|join("|") }}
{{ '\u02bcn\u00b2' in '  lead' >= '\\u00a0x\\u2028y' }}
{{ 'ABC' is lower }}
{{ 'a-b c_d' + '' }}
{{ [3,1,2] is not sequence }}
{{ 'x,y,,z' is gt('role') }}
{{ wide not in '  lead' }}
{{ '\u2167x \u24d0b' is integer }}
{{ '\u00df'.isascii() }}
{{ false is odd }}
{{ yes > yes or none }}
{% if -7.5 is iterable %}y{% else %}n{% endif %}
{{ word[3:0:-1] }}
{{ (messages[2] is false)|float(default=['a','b']) }}
{{ '0x1f'[-1:0:-1] }}
{{ word|reverse }}
{{ (' 12 '.isspace())|tojson }}
{{ ('y' if ('a-b c_d'.isascii()) else 'n') }}
{{ [3,1,2] in [2.5,1] }}
{{ nil|center }}
{{ false|abs }}
{{ (nil is false)|string }}
{{ '\u0149a'|int }}
{{ 2.5 is not true }}
{{ [3,1,2] is not integer }}
{{ '\u0391\u03a3 \u03a3' not in map }}
{{ '\u00df' is not iterable }}
{{ ('y' if ('\ud83d\ude00x'|e) else 'n') }}
{% if (messages[2].l|capitalize())|join("|") %}y{% else %}n{% endif %}
{{ wide not in '1e3' }}
{{ '\u00df'[:none] }}
{{ not ['\u00e9','z','a'] }}
{% for a in 'abc'|select('string') %}{{ a }}{{ loop.index }},{% else %}none{% endfor %}
{{ 'abc' is number -1 }}
{{ 'abc'|trim }}
{{ {'a':1,'B':2} is undefined }}
{{ {'a':1,'B':2} is not sameas(none) }}
{{ wide|safe }}
{{ [] in [2.5,1] }}
{{ '\u0130'|int(3) }}
{{ '\ud83d\ude00x' <= ' 12 ' }}
{{ many[1] }}
{{ true is true }}
{{ nothing is not iterable }}
{{ 'nan'[:none] }}
{{ 'a\ud83d\ude00b' is not number }}
{{ 100000 in messages[1] }}
{{ none|default }}
{{ ('abc' is not undefined) ~ "." }}
{{ ('y' if ('x,y,,z'.isspace()) else 'n') }}
{{ '0x1f'.isspace() }}
{{ ' 12 ' is boolean }}
{{ {'items':5} is not true }}
{{ false is number }}
{{ messages[2] is eq(1) }}
{% if '12abc'.find('x') %}y{% else %}n{% endif %}
{{ messages[0].content is not gt '' }}
{% if yes is not ne('a') %}y{% else %}n{% endif %}
{{ '\u2167x \u24d0b' is not eq(' ') }}
{{ '\u0130'[-1] }}
{{ 'a\ud83d\ude00b' is not lt('k') }}
{{ '3.7' is not undefined }}
{{ '1e3'[::2] }}
{{ ['\u00e9','z','a']|last }}
{{ '' >= 'a1' }}
{{ -1 is not sequence }}
{{ ('1_0'|wordcount())|tojson }}
{{ - 7 }}
{{ messages[2].l[-2] }}
{{ [none,0,'',1].count(true) }}
{{ (true is defined)|safe }}
{{ map|min }}
{{ wide|trim(chars=' ') }}
{{ ('3.7'|safe) ~ "." }}
{{ (1,2)[-1] }}
{{ {'a':1,'B':2} is ne 'x' }}
{{ 'a\\r\\nb'|reverse() }}
{{ ('\u0391\u03a3 \u03a3'.rstrip())|join("|") }}
{{ 1 is odd }}
{{ (1 is eq 'x')|trim }}
{{ "o'neil 3rd"|last }}
{{ '\u0149a'|e() }}
{{ '12abc'.isdecimal() }}
{{ ('y' if (range(3)|sum(start=0)) else 'n') }}
{{ ('y' if ('\ufb01x' is not callable) else 'n') }}
{{ (messages[0].content is not mapping)|tojson }}
{{ nothing|forceescape ~ '1_0' }}
{{ yes is not true }}
{{ '1e3'.isupper()|d(['a','b']) }}
{{ (0|wordcount) ~ "." }}
{{ 'inf'|max }}
{{ ['\u00e9','z','a'][-2] }}
{{ '-7' is defined }}
{{ '\ufb01x'|max(7) }}
{{ 'ABC' is not undefined }}
{{ '\u0391\u03a3 \u03a3' is number }}
{{ '\u0130'[::2] }}
{{ wide in '  lead' >= 1.5 }}
{{ (-3.99 is odd)|capitalize }}
{{ ('x,y,,z' is defined)|tojson }}
{% if messages[0] is ne 1 %}y{% else %}n{% endif %}
{{ true is gt 0 }}
{{ messages[1]|last() }}
{{ [3,1,2] is mapping }}
{{ 100000|escape ~ '' }}
{{ (none|capitalize)|join("|") }}
{{ [3,1,2] is ne 100 }}
{{ -7.5 is boolean }}
{{ word|reverse() }}
{{ 'a\\nb\\n\\nc' + 'abc' }}
{{ range(3) == [none,0,'',1] }}
{{ {'items':5} is not eq(false) }}
{{ -3.99 is not ne true }}
{{ '\u0149a' is not callable }}
{% if -1 is not lt 7 %}y{% else %}n{% endif %}
{{ '\u00df' is none }}
{{ '-7' is in('') }}
{{ -1|escape }}
{{ '1e3' or yes or [2.5,1] }}
{{ yes is callable }}
{{ 'a\\r\\nb' + '\\u00a0x\\u2028y' }}
{{ messages[0].content > 'abc' }}
{% if messages[0]|min('k') %}y{% else %}n{% endif %}
{{ '\\u00a0x\\u2028y'.isspace() }}
{{ '  lead'[::-1] }}
{{ '\u01c6'|indent() }}
{{ '1_0'[:-1] }}
{{ 'a-b c_d' is ge 'b' }}
{{ 0 is lt 1 }}
{{ [3,1,2][-1] }}
{{ 2.5 is equalto(',') }}
{{ '0x1f'|indent(2) }}
{{ (3 + -2)|tojson }}
{{ 'a\\r\\nb' is sequence }}
{{ 'a\ud83d\ude00b'[:none] }}
{{ "o'neil 3rd" == 0 not in messages[1] }}
{{ '1e3' is equalto(3) }}
{{ 'inf' <= '\u00df' }}
{{ 'a\\nb\\n\\nc'[:none] }}
{{ [true,false]|last }}
{{ '<b>&'.lstrip() }}
{{ [2.5,1]|sum }}
{{ false|center }}
{% if 2.5 is not none %}y{% else %}n{% endif %}
{{ '\u0391\u03a3 \u03a3'[-2:] }}
{{ messages[0].content[-2] }}
{{ "o'neil 3rd" is equalto 'x' }}
{{ '0x1f' > 'inf' == [none,0,'',1] }}
{{ [true,false]|first }}
{{ '\u2167x \u24d0b'|indent }}
{{ 'x,y,,z' or -3.99 - 3 }}
{{ true|forceescape }}
{{ messages in ['10','9'] }}
{{ '12abc'|length }}
{{ ('y' if ('\ufb01x' is in ',') else 'n') }}
{{ '3.7'|min() }}
{{ {'a':1.0} is not boolean }}
{{ '\ud83d\ude00x'|reverse }}
{{ (['10','9'][:-1])|max }}
{{ 0 in messages[1] }}
{{ 'ABC'|reverse }}
{{ 'ABC'[:none] }}
{{ messages[0].content.rstrip() }}
{{ '\ud83d\ude00x'[-2] }}
{{ 'nan'[-1:0:-1] }}
{{ 'nan'[-9:9]|escape }}
{{ '\u2167x \u24d0b'|count }}
{{ nil and '\u02bcn\u00b2' <= yes }}
{{ word|wordcount }}
{{ '\u0391\u03a3 \u03a3'|count() }}
{{ '-7' not in ['\ud83d\ude00','\\uffff'] }}
{{ many > ['10','9'] }}
{{ true in messages[0] }}
{{ '1_0'[0] }}
{{ 'a1'|min }}
{% for a in '\ud83d\ude00x'.splitlines() %}{{ a }}{{ loop.index }},{% else %}none{% endfor %}
{{ [2.5,1][0] }}
{% if (messages[1]|first) ~ "." %}y{% else %}n{% endif %}
{{ 'inf' or [1,1.0,true,2] }}
{{ (wide.split())|join("|") }}
{{ yes|round }}
{{ 0.1 or [2.5,1] }}
{{ 'a\\r\\nb' in [1,1.0,true,2] }}
{{ '\u0663' ~ 1.5 / 0.5 }}
{{ messages[2].l <= [3,1,2] }}
{{ '\u0149a' in '<b>&' >= messages[2] }}
{{ ['a','A','b'][-1] }}
{{ '\u02bcn\u00b2' is gt('x') }}
{{ messages[0].content[1:] }}
{{ '3.7'.rstrip('A') }}
{{ ('1_0' is none) ~ "." }}
{{ ('a\ud83d\ude00b'.strip('role'))|string }}
{{ '\u0149a' == ['\u00e9','z','a'] }}
{{ yes * '\\u00a0x\\u2028y' ~ false }}
{% if yes * ['b','A','c','a'] %}y{% else %}n{% endif %}
{{ yes * '12abc' }}
{{ map['k'] }}
{{ messages != messages[2] }}
{{ 'x,y,,z'[5] }}
{% if '<b>&' or [1,1.0,true,2] / 'a\\r\\nb' %}y{% else %}n{% endif %}
{{ [1,2,3] is not equalto(',') }}
{{ '\u02bcn\u00b2'[::-1] }}
{{ ' 12 '[1:3] }}
{{ yes == [1,1.0,true,2] }}
{{ not '\u0663' and [1,1.0,true,2] }}
{{ '\u0391\u03a3 \u03a3' is ne 'a' * '\u00e9' }}
{{ messages[2].l[-9:9] }}
{{ 'a\\r\\nb' is lt('a') }}
{{ 3 is not lt false }}
{{ '1e3'.rjust(7) }}
{{ '\u0149a' ~ none != [true,false] }}
{{ '  lead'|count }}
{{ messages[0].content.ljust(3) }}
{{ 'a\ud83d\ude00b'[-9:9] }}
{{ {'b':[1,none],'a':{'c':true}} is not none }}
{{ '<b>&'[-9:9] }}
{{ '  lead'.isalpha() }}
{{ - 2.5 }}
{{ 1.5|round() }}
{{ '\u0149a'[::-1] }}
{% if messages[1].values() %}y{% else %}n{% endif %}
{{ wide.isspace() }}
{{ not ['a','A','b'] }}
{{ 1.5 is even }}
{{ '0x1f'|first }}
{{ 3|round() }}
{{ - false|safe }}
{{ '0x1f'.strip(' ') }}
{{ ' 12 ' is not equalto(['a','b']) }}
{{ '<b>&'[-2] }}
{{ 'inf' or 0.1 / nil }}
{{ wide[::2] }}
{{ - x ~ 3 }}
{{ '0x1f'[-2:] }}
{{ '  lead'[-2:] }}
{{ '0x1f'.removeprefix('') }}
{{ '3.7'[-2:] }}
{{ n is even }}
{{ (wide.rstrip())|min }}
{{ '1_0'[::2] }}
{{ (true / 3)|tojson }}
{{ false / 1 or nil }}
{{ ['10','9'] and none and [true,false] }}
{{ '0x1f'.isascii() }}
{{ 'abc'.isdigit() }}
{{ 2.5 is not even }}
{{ -1 ** 1 }}
{{ none and n // {'b':[1,none],'a':{'c':true}} }}
{{ 'Hello World' or ['\ud83d\ude00','\\uffff'] // '\u0130' }}
{{ not [] }}
{{ 3 is divisibleby(100) }}
{{ 7 is not odd }}
{{ 'nan'[:-1] }}
{{ word.isalpha() }}
{{ ('y' if ('\u0149a'.rjust(100)) else 'n') }}
{{ '0x1f' != ['10','9'] }}
{{ 'a\\nb\\n\\nc'.isascii() }}
{{ 'ABC' is in ['a','b'] }}
{{ word is greaterthan 'x' }}
{{ word or x // {'a':1,'B':2} }}
{{ 'a\\nb\\n\\nc'.isalpha() }}
{{ 1.0 is not le(1.5) }}
{{ ('nan'['a'])|sum(100) }}
{{ {'a':1,'B':2}['a'] }}
{{ 7 is not divisibleby(3) }}
{{ -2 is greaterthan(false) }}
{{ 0|replace(none, new='a', count=false) }}
{{ {'a':1.0}['a'] }}
{{ n is not even }}
{{ 'x,y,,z' or '\u0391\u03a3 \u03a3' ** false != -2 }}
{% if messages[2].l|attr(',') %}y{% else %}n{% endif %}
{{ '\u2167x \u24d0b'.lstrip() }}
{{ range(3) in [1,2,3] }}
{{ not not ['10','9'] }}
{{ ('abc'.strip())|tojson }}
{{ nil and ['b','A','c','a'] }}
{{ 'a-b c_d'.isalnum() }}
{{ ({'items':5}|dictsort)|list|tojson }}
{{ 'x,y,,z'.isdecimal() }}
{{ ('<b>&'.rfind(' ')) ~ "." }}
{{ yes is lessthan(7) }}
{{ ('abc'.split())|tojson }}
{{ 'a1'.endswith('a', none) }}
{{ {'a':1,'B':2} == ['b','A','c','a'] }}
{{ 'inf'.strip() }}
{{ [none,0,'',1][true] }}
{{ '\ufb01x'.isupper() }}
{{ 'a1'.isascii() }}
{{ '12abc'.rjust(false) }}
{% if 0.5|replace(2, none) %}y{% else %}n{% endif %}
{{ ('x,y,,z'.lstrip()) ~ "." }}
{{ ['b','A','c','a'] == many <= ['a','A','b'] }}
{{ 'a\ud83d\ude00b' != 2.5 ** 0 }}
{{ none in [3,1,2] }}
{{ '\u02bcn\u00b2' or yes == messages[2] }}
{{ ' 12 ' is lessthan '' }}
{{ ' 12 '[true] }}
{{ '\ufb01x'[true] }}
{{ x|abs }}
{{ 7 is not le(2) }}
{{ "o'neil 3rd" is greaterthan('A') }}
{{ '0x1f' or [] }}
{{ '\u00df' is in('a') }}
{{ 'a\\r\\nb'.isalnum() }}
{{ yes is not ge 3 }}
{{ x is not lessthan(1.5) }}
{{ true not in [3,1,2] }}
{{ (false|round(0)) ~ "." }}
{{ (n is divisibleby 7)|string }}
{{ 100000 is string|round }}
{{ ('y' if ('a\\r\\nb'.isdecimal()) else 'n') }}
{{ '  lead' in ['b','A','c','a'] }}
{{ messages[0].content.lstrip() }}
{{ 'a\\nb\\n\\nc' or [1,2,3] }}
{{ not not [true,false] }}
{{ -3.99 ** 1.0 }}
{{ '\u0130'.rstrip('A') }}
{% if messages[0].content.lstrip() %}y{% else %}n{% endif %}
{{ 'a\\r\\nb'[:-1] }}
{{ 'Hello World' is le(' ') }}
{{ '\\u00a0x\\u2028y' not in ['b','A','c','a'] }}
{{ 'a-b c_d'.isupper() }}
{{ 'a-b c_d'[5] }}
{{ {'a':1,'B':2} == ['\u00e9','z','a'] }}
{{ "o'neil 3rd" in [true,false] }}
{{ '\u0391\u03a3 \u03a3'.islower() }}
{{ 100000|abs }}
{{ 0.5|abs }}
{{ 'abc'[:-1] }}
{{ '\ufb01x'.split(' ') in ['\u00e9','z','a'] }}
{% if messages[2]|dictsort(2) %}y{% else %}n{% endif %}
{{ '\u0149a'.isalpha() }}
{{ -3.99 is divisibleby 7 }}
{{ '\u2167x \u24d0b'[:-1] }}
{{ '\u00e9'.zfill(2) }}
{{ '\u0663'.isalnum() }}
{{ ({'a':1.0}.copy())|list|tojson }}
{% if (messages[0].values())|join("|") %}y{% else %}n{% endif %}
{{ (nothing|sum(0))|tojson }}
{{ '1e3'.isalpha() }}
{{ 'a\\nb\\n\\nc'[5] }}
{{ ('12abc'.find('a', 1))|string }}
{{ 'a\\r\\nb' is not le ',' }}
{{ word.islower() }}
{{ '' is ge(' ') }}
{{ '\u2167x \u24d0b'.endswith(',') }}
{{ '3.7'.isdecimal() }}
{{ '\\u00a0x\\u2028y'.find(' ') }}
{{ {}.get('A') }}
{{ '\\u00a0x\\u2028y' is lessthan ',' }}
{{ 'x,y,,z' is lessthan 'x' }}
{{ 2.0 is greaterthan 1 }}
{{ '3.7'.index('') }}
{{ "o'neil 3rd".rfind(' ') }}
{{ '  lead'.isalnum() }}
{{ ['a','A','b'] >= ['\ud83d\ude00','\\uffff'] }}
{{ "o'neil 3rd".isdigit() }}
{{ messages[0].content.isdigit() }}
{{ ('\u02bcn\u00b2'.isalnum())|tojson }}
{{ '1_0'.islower() }}
{{ not not ['\ud83d\ude00','\\uffff'] }}
{{ ('<b>&'.isdigit())|tojson }}
{{ wide.removesuffix(',') }}
{{ ('y' if ('\\u00a0x\\u2028y'.zfill(-1)) else 'n') }}
{{ ' 12 ' is not le 'role' }}
{{ true is ge(100) }}
{{ '\\u00a0x\\u2028y' is not ge('x') }}
{{ word.index(' ') }}
{% if 'a\ud83d\ude00b'.rfind('A', 2) %}y{% else %}n{% endif %}
{{ '  lead'[5] }}
{{ not ['\ud83d\ude00','\\uffff'] }}
{{ messages[0].content.islower() }}
{{ '  lead'.index(' ') }}
{{ '-7' is in ['a','b'] }}
{{ '\u00df'.rjust(3) }}
{{ 0 is not in ['a','b'] }}
{{ ('y' if ('a1'.partition('k')) else 'n') }}
{{ '\u00e9'.isdecimal() }}
{{ '\u0663'.endswith('a') }}
{{ 'a\\r\\nb'.islower() }}
{{ ['a','A','b'] is not eq ['a','b'] }}
{{ ('a\\nb\\n\\nc' is greaterthan('k'))|tojson }}
{{ '<b>&'.rindex('') }}
{{ wide.index('a', false, 100) }}
{{ 1 is eq 1 }}{{ 1 is not eq 1 }}{{ 'a' is in ['a'] }}{{ 'a' is not in 'bc' }}{{ 4 is divisibleby 2 }}{{ 4 is divisibleby(3) }}
{{ messages[0].role is eq messages[2].role }}{{ 'x' if n is gt 2 else 'y' }}{{ n is lt 5 and n is ge 3 }}
{{ 1 < 2 < 3 }}{{ 3 > 2 > 2 }}{{ (1 < 2) == true }}{{ 1 < (2 < 3) }}{{ (3 > 2) > 1 }}{{ 1 == 1 == true }}{{ 'a' in 'abc' in ['abc'] }}{{ 1 < n <= 3 != 4 }}
{% with a = 1 %}{{ a }}{% endwith %}{{ a is defined }}
{% with a = 1, b = n + 1 %}{{ a }}{{ b }}{% set c = 5 %}{% endwith %}{{ c is defined }}
{% set a = 5 %}{% with a = 1, b = a %}{{ a }}{{ b }}{% endwith %}{{ a }}
{% with %}{% set z = 1 %}{{ z }}{% endwith %}{{ z is defined }}
{% with a = [1, 2], b = {'k': (1, 2)} %}{{ a|length }}{{ b.k[1] }}{% endwith %}
{% for m in messages %}{% with r = m.role %}{% if r == 'assistant' %}{% continue %}{% endif %}{{ r }}{% endwith %}{% endfor %}
{% for i in range(4) %}{{ loop.cycle('a', 'b', 'c') }}{{ loop.depth }}{{ loop.depth0 }}{% endfor %}
{% for m in messages %}{{ loop.changed(m.role) }}{% for c in 'aab' %}{{ loop.changed(c, 1) }}{% endfor %}{% endfor %}
{% set g = messages|map(attribute='role') %}{{ g|list|length }}{{ g|list|length }}{% if g %}y{% endif %}
{% set g = [1, 2, 3]|select('odd') %}{{ g|first }}{{ g|join(',') }}{{ g|join(',') }}
{% set g = many|reverse %}{% for x in g %}{{ x }}{% endfor %}{% for x in g %}{{ x }}{% else %}none{% endfor %}
{{ map.keys()[0] is defined }}{{ (many|map('upper'))[0] is defined }}{{ map.items()|length }}
{{ '%s and %d%%' % ('q', 3.9) }}{{ '%.2f' % 0.125 }}{{ '%.0f' % 2.5 }}{{ '%.3f' % -1.0005 }}{{ '%f' % 1 }}{{ '%s' % none }}{{ '%i' % -2.5 }}
{{ 2.5|round }}{{ 3.5|round }}{{ 2.675|round(2) }}{{ 0.125|round(2) }}{{ 7|round }}{{ 3.1|round(0, 'ceil') }}{{ -3.1|round(method='floor') }}{{ 1.005|round(2) }}{{ -0.4|round }}
{{ '0x1f'|int(base=16) }}{{ '1f'|int(7, 16) }}{{ '0b11'|int(base=2) }}{{ '0o17'|int(base=8) }}{{ '12'|int(base=3) }}{{ 'zz'|int(base=36) }}{{ '0b1'|int(base=16) }}{{ '011'|int(5, 0) }}{{ '0x11'|int(5, 0) }}{{ '8'|int(3, 8) }}
{{ 'inf'|int(3) }}{{ 'nan'|int }}{{ 'inf'|float }}{{ '-Infinity'|float }}{{ '\u0663\u0664'|int }}{{ '\ud835\udfd9\ud835\udfda'|int }}{{ '\u096d'|float }}{{ many|int(4) }}{{ map|float }}
{{ '\u0149a'|capitalize }}{{ '\u01c6a'|capitalize }}{{ '\u01c6a'.title() }}{{ '\u0391\u03a3 \u03a3'.capitalize() }}{{ '\u00dfa'.title() }}
{{ 'a\\r\\nb\\u2028c'|indent }}{{ 'a\\n\\nb\\n'|indent('> ', true, true) }}{{ 'a\\nb'|indent(2, blank=true) }}{{ ''|indent(2, true) }}
{{ '<b>'|safe }}{{ '<b>'|e }}{{ ('a'|safe) ~ 'b' }}{{ ('<i>'|e)|upper }}{{ false|safe is string }}{{ ('<'|safe)|e }}{{ '<'|e|forceescape }}
{{ '\ud83d\ude00' > '\\uffff' }}{{ ['\ud83d\ude00', '\\uffff', 'b', 'A']|sort|join }}{{ [[1, 2], [1]]|sort|tojson }}{{ [2, true, 1.5]|max }}{{ ['b', 'A']|min }}{{ [1, 'x']|first < 2 }}
{{ messages|sort(attribute='role,content')|map(attribute='content')|join(',') }}{{ messages|max(attribute='content') == messages[1] }}{{ messages|map(attribute='content')|sum(start=0) if no else 'x' }}
{{ 5.5 // 2 }}{{ -5.5 // 2 }}{{ 7 // -2 }}{{ -7 % 3.5 }}{{ 0.3 // 0.1 }}{{ 6 % -3.0 }}{{ true + 1 }}{{ 2 ** -1 }}{{ -2 ** 2 }}{{ 2 ** 3 ** 2 }}{{ [1] * 2 == [1, 1] }}{{ true * 3 }}{{ 1 / true }}
{{ [1, 2].index(2) }}{{ many.count('a') }}{{ (1, 2, 1).count(1) }}{{ map.copy() == map }}{{ many.append is defined }}{{ many.copy is defined }}{{ 'a'.encode is defined }}{{ map.update is defined }}{{ n.real is defined }}
{{ 'abc'.startswith('b', 1) }}{{ 'abc'.startswith(('x', 'b'), 1, 2) }}{{ 'abc'.endswith('b', 0, -1) }}{{ 'abc'.startswith('', 4) }}{{ 'a\ud83d\udc4db'.find('b') }}{{ 'a\ud83d\udc4db'.rfind('a', 1) }}{{ 'aaa'.count('a', 1) }}{{ 'aaa'.count('') }}
{{ ' a b  c '.rsplit(none, 1)|join('|') }}{{ 'a,b,c'.rsplit(',', 1)|join('|') }}{{ 'a\\nb\\r\\nc\\x0bd\\x1ce'.splitlines()|join('|') }}{{ 'a\\nb'.splitlines(true)|join('|') }}{{ '-5'.zfill(4) }}{{ 'ab'.center(5, '*') }}{{ 'abc'.center(6, '*') }}{{ 'a'.ljust(3) }}{{ 'a'.rjust(3, '.') }}
{{ 'a=b=c'.partition('=')|join('|') }}{{ 'a=b=c'.rpartition('=')|join('|') }}{{ 'abc'.removesuffix('c') }}{{ '\uff15'.isdigit() }}{{ 'a1'.isalnum() }}{{ ''.isspace() }}{{ '\u00e9'.isascii() }}
{{ [1, 2, 3, 4, 5]|batch(2, 0)|map('join', '-')|join('|') }}{{ 'a b_c  d'|wordcount }}{{ {'b': 1, 'A': 2}|dictsort(by='value', reverse=true)|map('first')|join }}
{{ messages|selectattr('role', 'in', ['user'])|list|length }}{{ messages|rejectattr('nothing')|list|length }}{{ messages|selectattr('content', 'ne', 'Hi')|map(attribute='content')|join }}{{ [1, 2, 3]|reject('odd')|join }}{{ many|map('replace', 'a', 'x')|join }}
{{ 'abc'[true] }}{{ many[none] is defined }}{{ many[1.0] is defined }}{{ 'abc'[none:2] }}{{ {'items': 5}['items'] }}{{ {'items': [1]}.items()|length }}
{% set x %}{% set y = 1 %}{{ y }}{% endset %}{{ x }}{{ y is defined }}
{% filter upper %}{% set y = 1 %}a{% endfilter %}{{ y is defined }}
{% generation %}{% set y = 1 %}{{ y }}{% endgeneration %}{{ y is defined }}
{% for m in messages %}{{ m.role }}{% generation %}{{ loop.index }}{% if loop.first %}a{% endif %}{% endgeneration %}{% endfor %}
{% for i in [1,2] %}{{ i }}{% continue %}{% else %}none{% endfor %}
{% for i in [1,2] %}{% if i == 1 %}{% continue %}{% endif %}{{ i }}{% else %}none{% endfor %}
{% for i in [1,2] %}a{% break %}{% else %}none{% endfor %}
{% for i in [] %}a{% else %}{% set q = 1 %}none{% endfor %}{{ q is defined }}
{% set x | upper | trim %} ab {% endset %}[{{ x }}]
{% set ns = namespace(a=1) %}{% set ns.a %}x{% endset %}{{ ns.a }}
{% for m in messages if m.role == "user" %}{{ loop.index }}{{ loop.length }}{{ loop.previtem.role if loop.previtem is defined }}{% endfor %}
{% for i in [1, 2] %}{% for j in [1] %}{% break %}{% else %}e{% endfor %}{{ i }}{% else %}none{% endfor %}
{% macro f() %}{% set y = 2 %}{{ y }}{% endmacro %}{{ f() }}{{ y is defined }}
{% set y = 1 %}{% generation %}{% set y = 2 %}{% endgeneration %}{{ y }}
{% set y = 1 %}{% set z %}{% set y = 2 %}{% endset %}{{ y }}
{% for i in range(3) %}{% generation %}{% if i == 1 %}x{% endif %}{{ i }}{% endgeneration %}{% endfor %}
{% macro f(a, b='d') %}<{{ a }}{{ b }}>{% endmacro %}{% set ns = namespace(a=0) %}{{ word }},{% for a in nothing %}{{ m.role }} {% endfor %}
{% macro f(a, b='d') %}<{{ a }}{{ b }}>{% endmacro %}{{ messages|length }}{% for n in nothing %}{{ loop.index }}{% endfor %}
{% set ns = namespace(a=0) %}{% set ns.b = n + 1 %}{{ loop is defined }} 
{% set ns = namespace(a=0) %}{{ m }}{{ b is defined }} {{ a is defined }} 
{{ loop is defined }} {% set a %}{{ word }} {% endset %}
{% macro f(a, b='d') %}<{{ a }}{{ b }}>{% endmacro %}{% set ns = namespace(a=0) %}{{ f is defined }},{{ kwargs|length }}
{% set ns = namespace(a=0) %}{% set ns.a = namespace(map) %}{{ a is defined }},
{% macro f(a, b='d') %}<{{ a }}{{ b }}>{% endmacro %}{% set ns = namespace(a=0) %}{{ n + 1 }} {{ a ~ b }},
{% set ns = namespace(a=0) %}{{ n + 1 }} {{ f }} {{ a|default('D') }} 
{% macro f(a, b='d') %}<{{ a }}{{ b }}>{% endmacro %}{% set f = many %}{{ ns }},
{% set ns = namespace(a=0) %}{% set loop = 1, 2 %}{% filter upper %}{% macro g(a, b) %}{% set a = (a, b)|length %}{% endmacro %}{% endfilter %}{{ x }}
{% macro f(a, b='d') %}<{{ a }}{{ b }}>{% endmacro %}{% set ns = namespace(a=0) %}{{ 1 }}{{ n }},{% set a %}{{ varargs }}{% endset %}
{% set ns = namespace(a=0) %}{% set b = namespace([('a', 5)]) %}{{ f is defined }}
{% macro f(a, b='d') %}<{{ a }}{{ b }}>{% endmacro %}{% set ns = namespace(a=0) %}{% if x %}{{ ns.b is defined }} {% endif %}{{ kwargs|length }},
{{ ns }},{% set ns = namespace({'a': 3}, b=4) %}{{ a }} {{ a ~ b }},
{% set ns = namespace(a=0) %}{{ a }} {{ n }},
{% macro f(a, b='d') %}<{{ a }}{{ b }}>{% endmacro %}{% set ns = namespace(a=0) %}{{ messages[0].role }},{{ b is defined }}
{% macro f(a, b='d') %}<{{ a }}{{ b }}>{% endmacro %}{{ varargs }} {{ b is defined }},
{% set ns = namespace(a=0) %}{{ ns.a }},{{ a ~ b }} 
{% set ns = namespace(a=0) %}{{ a|default('D') }}{{ kwargs|length }},{% set b = 1, 2 %}{{ varargs }},
{% macro f(a, b='d') %}<{{ a }}{{ b }}>{% endmacro %}{% set ns = namespace(a=0) %}{{ f is defined }}{{ 1 }}
{% macro f(a, b='d') %}<{{ a }}{{ b }}>{% endmacro %}{% set ns = namespace(a=0) %}{% if messages|length %}{{ many|join }} {% endif %}{% set n = [1, 2] %}
{% set ns = namespace(a=0) %}{{ b is defined }}{{ ns.b is defined }}{% macro g(m) %}{{ a ~ b }} {% endmacro %}
{% macro f(a, b='d') %}<{{ a }}{{ b }}>{% endmacro %}{{ x }}{% for x in pairs|reverse %}{% with m = messages[0] %}{{ loop.cycle(1,2) }} {% endwith %}{% endfor %}
{% macro f(a, b='d') %}<{{ a }}{{ b }}>{% endmacro %}{% macro g(a, b) %}{{ f }}{% endmacro %}{{ 1 }},{# c #}
{% set loop = n %}{{ loop.parent is defined }},
{% macro f(a, b='d') %}<{{ a }}{{ b }}>{% endmacro %}{{ (a, b)|length }} {{ ns }}
{% macro f(a, b='d') %}<{{ a }}{{ b }}>{% endmacro %}{% set ns = namespace(a=0) %}{{ 1 }},{% set x = a %}
{% macro f(a, b='d') %}<{{ a }}{{ b }}>{% endmacro %}{{ many|join }} {{ word }} {% set n = namespace(a=1) %}
{{ none }} {% set b %}{% set x = 'ab' %}{% endset %}
{% macro f(a, b='d') %}<{{ a }}{{ b }}>{% endmacro %}{{ [a, b]|join }},{{ f(a) }}
{% macro f(a, b='d') %}<{{ a }}{{ b }}>{% endmacro %}{% set ns = namespace(a=0) %}{{ kwargs|length }} {{ many|join }} 
{{ many|join }},{% set a %}{{ x }} {% set ns = 1, 2 %}{% endset %}
{% set ns = namespace(a=0) %}{{ a is defined }},{% set m = namespace(a=1) %}{% macro g(m) %}{{ loop.nextitem.role }} {% endmacro %}
{% macro f(a, b='d') %}<{{ a }}{{ b }}>{% endmacro %}{% set ns = namespace(a=0) %}{% set m = n + 1 %}{% if m %}{{ loop is defined }}{% endif %}{{ n + 1 }},
{% macro f(a, b='d') %}<{{ a }}{{ b }}>{% endmacro %}{% set ns = namespace(a=0) %}{% set ns = 'ab' %}{% with b = a %}{{ many|join }} {% endwith %}
{% macro f(a, b='d') %}<{{ a }}{{ b }}>{% endmacro %}{% with a = 1 %}{{ a }},{% endwith %}{% macro g(b=1) %}{{ loop.last }}{{ n }},{% endmacro %}
{% macro f(a, b='d') %}<{{ a }}{{ b }}>{% endmacro %}{{ none }},{% for m in (1,2) %}{{ [a, b]|join }} {% endfor %}
{% macro f(a, b='d') %}<{{ a }}{{ b }}>{% endmacro %}{% set ns = namespace(a=0) %}{{ f is defined }} {{ n }}{{ messages[0].role }}{{ a|default('D') }}
{% for m in messages %}{{ word }},{% endfor %}{% set b = namespace([('a', 5)]) %}{% set loop = 1, 2 %}
{% macro f(a, b='d') %}<{{ a }}{{ b }}>{% endmacro %}{{ a }},{{ 1 }},
{% set ns = namespace(a=0) %}{{ n + 1 }} {{ m }}
{% set ns = namespace(a=0) %}{% set a, b = (1, 2) %}{% with m = messages[0] %}{{ loop is defined }},{% endwith %}{{ [a, b]|join }}{{ messages|length }}
{% set ns = namespace(a=0) %}{{ n }},{% macro g(b=1) %}{% macro g(m) %}{% set b = 1, 2 %}{% endmacro %}{{ m['role'] }} {% endmacro %}
{% macro f(a, b='d') %}<{{ a }}{{ b }}>{% endmacro %}{{ messages[0].role }},{% set ns = n + 1 %}{% for (a, b) in [] %}{{ m.content }},{% continue %}{% endfor %}
{% set ns = namespace(a=0) %}{% macro f(m) %}{{ varargs }} {% set a = n + 1 %}{% endmacro %}{{ loop is defined }}
{% macro f(a, b='d') %}<{{ a }}{{ b }}>{% endmacro %}{% set ns = namespace(a=0) %}{{ many|join }},{% if varargs %}{{ messages[0].role }}{% endif %}
{% set ns = namespace(a=0) %}{{ a ~ b }} {{ ns.b is defined }} 
{% set ns = namespace(a=0) %}{% if messages[0].role %}{{ f }} {% endif %}{{ f }},
{% macro f(a, b='d') %}<{{ a }}{{ b }}>{% endmacro %}{{ messages|length }} {% set b = [1, 2] %}
{{ varargs }},{% set b %}{% set f = namespace([('a', 5)]) %}{% endset %}
{% macro f(a, b='d') %}<{{ a }}{{ b }}>{% endmacro %}{% set ns = namespace(a=0) %}{% set b = (1, 2) %}{{ a|default('D') }}
{{ a|default('D') }}{% for m in range(n) %}{% continue %}{% endfor %}
{% set ns = namespace(a=0) %}{{ ns.b is defined }},{{ many|join }} {{ varargs|length }}
{% set ns = namespace(a=0) %}{% set ns.b = (1, 2) %}{{ b }},
{{ messages|length }} {% macro f(a=n, b=a) %}{% call g(1) %}{{ a }} {% endcall %}{% endmacro %}{{ n }},
{{ a|default('D') }}{% if word %}{% macro g(a=n, b=a) %}{{ loop.nextitem.role }}{% endmacro %}{% else %}{{ m.content }} {% endif %}
{% macro f(a, b='d') %}<{{ a }}{{ b }}>{% endmacro %}{% set a = 1 %}{{ f is defined }}
{% macro f(a, b='d') %}<{{ a }}{{ b }}>{% endmacro %}{{ [a, b]|join }},{% set ns = [1, 2] %}{{ a ~ b }}
{% macro f(a, b='d') %}<{{ a }}{{ b }}>{% endmacro %}{{ a is defined }} {{ loop is defined }}{% macro f(b=1) %}{{ m.role }},{% endmacro %}
{% macro f(a, b='d') %}<{{ a }}{{ b }}>{% endmacro %}{{ b }},{{ a }} {{ m is defined }}
{% set ns = namespace(a=0) %}{% for a in map.items() %}{{ messages|length }} {{ a }},{{ messages[0].role }},{% endfor %}{% set a = namespace(map) %}
{% for m in many if loop is defined %}{{ loop.length }},{{ m.nope.x }}{% endfor %}{{ x }} 
{% set ns = namespace(a=0) %}{{ loop is defined }} {{ a }},{{ ns.b is defined }},{% for m in [1,2] + [3] %}{% set b = many %}{% endfor %}
{% macro f(a, b='d') %}<{{ a }}{{ b }}>{% endmacro %}{{ messages[0].role }},{% if varargs %}{{ kwargs.b }} {% endif %}
{% set ns = namespace(a=0) %}{{ 'q' }}{{ none }}
{% set ns = namespace(a=0) %}{{ varargs|length }},{{ a is defined }} 
{% set ns = namespace(a=0) %}{{ x }}{{ (a, b)|length }}
{% macro f(a, b='d') %}<{{ a }}{{ b }}>{% endmacro %}{% set ns = namespace(a=0) %}{{ varargs|length }} {{ f is defined }},{{ many|join }},{% set ns.a = 'ab' %}
{% macro f(a, b='d') %}<{{ a }}{{ b }}>{% endmacro %}{% set b = namespace({'a': 3}, b=4) %}{{ a|default('D') }}
{% set ns = namespace(a=0) %}{{ a }} {{ 1 }},{{ ns.b is defined }},
{% set ns = namespace(a=0) %}{{ f }},{{ loop is defined }},
{% set ns = namespace(a=0) %}{{ f }} {{ none }},
{% set ns = namespace(a=0) %}{{ a }} {% set ns.a %}{{ messages|length }} {% endset %}{{ messages|length }},
{% macro f(a, b='d') %}<{{ a }}{{ b }}>{% endmacro %}{% set ns = namespace(a=0) %}{% set m = 1, 2 %}{{ ns.a }},
{{ m }}{% for a in pairs %}{{ a }}{% endfor %}
{% macro f(a, b='d') %}<{{ a }}{{ b }}>{% endmacro %}{% set ns = namespace(a=0) %}{{ a|default('D') }},{{ n + 1 }},{{ 1 }} 
{% macro f(a, b='d') %}<{{ a }}{{ b }}>{% endmacro %}{% set ns = namespace(a=0) %}{{ m is defined }}{% set loop = n + 1 %}
{% set ns = namespace(a=0) %}{{ ns.b is defined }}{{ none }} 
{% set ns = namespace(a=0) %}{{ (a, b)|length }},{% for m in range(2) %}{{ ns.a }} {% endfor %}{{ varargs|length }} 
{% macro f(a, b='d') %}<{{ a }}{{ b }}>{% endmacro %}{% set f = 1, 2 %}{{ f is defined }}
{% macro f(a, b='d') %}<{{ a }}{{ b }}>{% endmacro %}{% set ns = namespace(a=0) %}{{ many|join }}{{ [a, b]|join }},
{% macro f(a, b='d') %}<{{ a }}{{ b }}>{% endmacro %}{{ a|default('D') }},{% for a in pairs|reverse %}{{ n + 1 }},{% break %}{% endfor %}
{% macro f(a, b='d') %}<{{ a }}{{ b }}>{% endmacro %}{{ 'q' }},{{ varargs }} 
{% macro f(a, b='d') %}<{{ a }}{{ b }}>{% endmacro %}{{ messages[0].role }},{{ m is defined }},
{% macro f(a, b='d') %}<{{ a }}{{ b }}>{% endmacro %}{% for m, b in pairs|reverse %}{{ messages[0].role }}{% endfor %}{% set loop = [1, 2] %}
{% set ns = namespace(a=0) %}{# c #}{% macro g(b=1) %}{% set f = (1, 2) %}{{ loop.nextitem.role }}{% endmacro %}{{ m is defined }}
{% macro f(a, b='d') %}<{{ a }}{{ b }}>{% endmacro %}{{ a }},{{ a ~ b }}
{% set ns = namespace(a=0) %}{% with m = messages[0] %}{{ n }}{% endwith %}{% for n in 'ab' %}{% set x = [1, 2] %}{{ many|join }},{% endfor %}{{ n }} 
{% macro f(a, b='d') %}<{{ a }}{{ b }}>{% endmacro %}{% set ns = namespace(a=0) %}{{ m is defined }}{% macro f(b=1) %}{{ loop.parent is defined }} {% endmacro %}
{% set ns = namespace(a=0) %}{{ b is defined }} {{ messages|length }} 
{% set ns = namespace(a=0) %}{{ f }}{{ varargs|length }}
{% macro f(a, b='d') %}<{{ a }}{{ b }}>{% endmacro %}{% set ns = namespace(a=0) %}{% set m = namespace(a=1) %}{{ a|default('D') }} {{ varargs|length }} {{ none }}
{% macro f(a, b='d') %}<{{ a }}{{ b }}>{% endmacro %}{% set m = [a, b]|join %}{{ a is defined }},
{% set ns = namespace(a=0) %}{% set b = many %}{{ varargs|length }} 
{% set ns = namespace(a=0) %}{{ m }}{{ 'q' }},{% for a in range(2) %}{{ none }} {% endfor %}
{% set ns = namespace(a=0) %}{% set m = namespace(a=1) %}{{ n + 1 }}{{ none }} 
{% macro f(a, b='d') %}<{{ a }}{{ b }}>{% endmacro %}{{ f is defined }}{% macro g(b=1) %}{{ loop.nextitem.role }},{% endmacro %}{{ word }}
{% for (a, b) in pairs|reverse %}{{ b is defined }}{% endfor %}{{ kwargs|length }} 
{% macro f(a, b='d') %}<{{ a }}{{ b }}>{% endmacro %}{{ n + 1 }},{{ n }} 
{% macro f(a, b='d') %}<{{ a }}{{ b }}>{% endmacro %}{{ loop is defined }}{{ a ~ b }} 
{% macro f(a, b='d') %}<{{ a }}{{ b }}>{% endmacro %}{{ n + 1 }},{{ ns }},
{% macro f(a, b='d') %}<{{ a }}{{ b }}>{% endmacro %}{% set ns = namespace(a=0) %}{{ f(1) }} {{ m is defined }}
{{ loop is defined }} {% macro f(m) %}{% for (a, b) in 'ab' %}{{ m is defined }} {% endfor %}{% endmacro %}
{% set ns = namespace(a=0) %}{{ word }},{% for x in range(2) %}{{ messages[0].role }}{{ ns.a }},{% endfor %}
{% macro f(a, b='d') %}<{{ a }}{{ b }}>{% endmacro %}{% set ns = namespace(a=0) %}{{ a }}{{ n }},
{% set a %}{{ a }} {% endset %}{{ none }} {% for n in [] %}{{ loop.last }}{% endfor %}{{ m }}
{% set ns = namespace(a=0) %}{% set x = namespace(a=1) %}{{ a }},
{% macro f(a, b='d') %}<{{ a }}{{ b }}>{% endmacro %}{% macro g(b=1) %}{{ m is defined }} {% endmacro %}{# c #}{{ a is defined }} {{ m is defined }}
{{ ns }}{{ f is defined }}{% set a = namespace({'a': 3}, b=4) %}{% set b = many %}
"""

# Days and times for strftime, as year, month, day, hour, minute, second and microsecond.
DATES = [(2024, 1, 1, 0, 0, 0, 0), (2024, 2, 29, 12, 30, 5, 7000), (2023, 12, 31, 23, 59, 59, 999000), (2026, 1, 4, 11, 5, 9, 50000), (2005, 3, 9, 13, 0, 1, 123000), (1999, 10, 10, 1, 1, 1, 0)]
DIRECTIVES = ["%" + c for c in "aAbhBcdDxeFfHIjmMnpSTXuUwWyYzZ%"] + ["%-d", "%-m", "%-H", "%-I", "%-M", "%-S", "%-j", "%-y", "%-e", "%-U", "%-W", "%-a", "%d %B %Y", "at %H:%M", "100%% of %A", "no directive", "%-d %b", "%Y\n%m"]


def cases():
    for line in EXPRESSIONS.strip().splitlines():
        for source in line.split(" ;; "):
            yield "{{ " + source.strip() + " }}"
    for line in TEMPLATES.strip("\n").splitlines():
        yield line.replace("\\n", "\n")
    for line in SOURCES.strip("\n").splitlines():
        yield re.sub(r"(?:\\u[0-9a-f]{4})+|\\[\\ntfrb]", lambda m: json.loads('"' + m[0] + '"'), line)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    with open(args.out, "w", encoding="utf-8") as out:
        out.write(json.dumps({"variables": VARIABLES}) + "\n")
        for date in DATES:
            out.write(json.dumps({"date": date, "texts": {d: datetime(*date).strftime(d) for d in DIRECTIVES}}) + "\n")
        for source in dict.fromkeys(cases()):
            try:
                text = _compile_jinja_template(source).render(**json.loads(json.dumps(VARIABLES)))
                text = re.sub(r" at 0x\w+", " at 0x0", text)  # the same again on another day
            except Exception:  # TemplateError, TypeError of Python inside the template
                text = None
            out.write(json.dumps({"source": source, "text": text}) + "\n")
    print(args.out)


if __name__ == "__main__":
    main()
