"""What macros, loops, namespaces and ranges say of themselves in transformers' Jinja, one JSON object a line: {"source", "text": null where it is refused}.

    python golden/jinja_members.py --out golden/jinja_members.jsonl
"""
import argparse
import json
from pathlib import Path

from transformers.utils.chat_template_utils import _compile_jinja_template

PLAIN = "{% macro m(x, y=1, z='a') %}{{ x }}{% endmacro %}"
SPECIAL = "{% macro k() %}{{ caller(1) }}{{ kwargs }}{{ varargs }}{% endmacro %}"
LOOP = "{%% for i in [1, 2] %%}{{ %s }};{%% endfor %%}"
SPACE = "{%% set ns = namespace(f=1) %%}{{ %s }}"
SOURCES = [
    *(f"{macro}{{{{ {name}{how % key} }}}}" for key in ("name", "arguments", "catch_kwargs", "catch_varargs", "caller", "explicit_caller", "__name__", "foo") for macro, name in ((PLAIN, "m"), (SPECIAL, "k")) for how in (".%s", "['%s']", ".%s is defined")),
    *(PLAIN + end for end in (
        "{{ m.arguments | length }}", "{{ m.arguments[0] }}", "{{ m.arguments | join(',') }}", "{{ m.name | upper }}", "{{ m.name.foo is defined }}", "{{ m }}", "{{ m is callable }}{{ m is mapping }}{{ m is iterable }}{{ m is string }}",
        "{% set f = m %}{{ f.name }}{{ f(2) }}", "{{ m | length }}", "{{ m == m }}", "{{ m.name == 'm' }}", "{{ 'y' if m else 'n' }}", "{{ [m][0].name }}", "{{ {'a': m}.a.name }}", "{{ m.arguments is sequence }}{{ m.arguments == ('x', 'y', 'z') }}",
        "{% for a in m.arguments %}{{ a }};{% endfor %}", "{{ m.arguments | tojson }}", "{{ m | tojson }}", "{{ m.nope.x }}", "{{ m.name() }}", "{{ m[0] is defined }}", "{{ m.nope() }}", "{% set ns = namespace(f=m) %}{{ ns.f.name }}",
    )),
    "{% macro a() %}{{ caller.name }}{% endmacro %}{% call(u, v=2) a() %}x{% endcall %}", "{% macro a() %}{{ caller.foo }}{{ caller() }}{% endmacro %}{% call a() %}x{% endcall %}",
    "{% macro a() %}{{ caller is defined }}{% endmacro %}{{ a() }}{% call a() %}x{% endcall %}", "{% macro a(p) %}{{ p.name }}{{ p.arguments | join }}{% endmacro %}{{ a(a) }}",
    "{% macro a() %}{{ varargs | length }}{% endmacro %}{{ a(1,2) }}{{ a.catch_varargs }}{{ a.catch_kwargs }}", "{% macro a() %}{% if kwargs is defined %}x{% endif %}{% endmacro %}{{ a.catch_kwargs }}{{ a() }}",
    "{% macro a(caller) %}{% endmacro %}{{ a.caller }}{{ a.explicit_caller }}", "{% macro a(caller=none) %}{% endmacro %}{{ a.caller }}{{ a.explicit_caller }}{{ a.arguments | join }}", "{% macro a(kwargs) %}{{ kwargs }}{{ varargs }}{% endmacro %}{{ a.catch_kwargs }}{{ a.catch_varargs }}",
    "{% macro a() %}{% macro b(q) %}{% endmacro %}{{ b.name }}{{ b.arguments | join }}{{ a.name }}{% endmacro %}{{ a() }}", "{% macro a() %}{% set caller = 1 %}{{ caller }}{% endmacro %}{{ a.caller }}", "{% macro a() %}{{ caller }}{% set caller = 1 %}{% endmacro %}{{ a.caller }}",
    "{% macro a() %}{% set caller = caller %}{% endmacro %}{{ a.caller }}", "{% macro a() %}{% for caller in [1] %}{{ caller }}{% endfor %}{% endmacro %}{{ a.caller }}", "{% macro a() %}{% for x in caller() %}{% endfor %}{% endmacro %}{{ a.caller }}",
    "{% macro a() %}{% for x, caller in kwargs.items() if caller %}{% endfor %}{% endmacro %}{{ a.caller }}{{ a.catch_kwargs }}", "{% macro a() %}{% for x in [1] if kwargs %}{% else %}{{ caller }}{% endfor %}{% endmacro %}{{ a.caller }}{{ a.catch_kwargs }}",
    "{% macro a() %}{{ x.caller }}{{ x['varargs'] }}{{ f(kwargs=1) }}{% endmacro %}{{ a.caller }}{{ a.catch_kwargs }}{{ a.catch_varargs }}", "{% macro a() %}{{ x[caller] }}{{ f(q=kwargs) }}{{ 1 if varargs }}{% endmacro %}{{ a.caller }}{{ a.catch_kwargs }}{{ a.catch_varargs }}",
    "{% macro a() %}{% set ns.x = caller %}{% endmacro %}{{ a.caller }}", "{% macro a() %}{% set x %}{{ caller() }}{% endset %}{% endmacro %}{{ a.caller }}", "{% macro a() %}{{ x | default(kwargs) }}{{ varargs is defined }}{% endmacro %}{{ a.catch_kwargs }}{{ a.catch_varargs }}",
    "{% macro a() %}{% macro c(caller=1, q=kwargs) %}{{ caller }}{% endmacro %}{% endmacro %}{{ a.caller }}{{ a.catch_kwargs }}", "{% macro b() %}{{ caller() }}{% endmacro %}{% macro a() %}{% call(kwargs) b() %}{{ kwargs }}{{ varargs }}{% endcall %}{% endmacro %}{{ a.catch_kwargs }}{{ a.catch_varargs }}{{ a.caller }}",
    "{% macro a() %}{% filter upper %}{{ caller() }}{% endfilter %}{% endmacro %}{{ a.caller }}", "{% macro a() %}{% if caller %}{% elif kwargs %}{% else %}{{ varargs }}{% endif %}{% endmacro %}{{ a.caller }}{{ a.catch_kwargs }}{{ a.catch_varargs }}", "{% macro a() %}{{ {'k': caller} }}{{ [kwargs] }}{{ -varargs }}{% endmacro %}{{ a.caller }}{{ a.catch_kwargs }}{{ a.catch_varargs }}",
    *(LOOP % end for key in ("index", "index0", "first", "last", "length", "revindex", "revindex0", "previtem", "nextitem", "depth", "depth0", "foo", "_length", "iterable", "name", "items", "keys", "get") for end in (f"loop.{key}", f"loop['{key}']", f"loop.{key} is defined")),
    *(LOOP % end for end in (
        "loop", "loop | length", "loop[0] is defined", "loop is iterable", "loop is callable", "loop is mapping", "loop is sequence", "loop is string", "loop.get('index')", "loop.keys() | list | length", "'index' in loop", "loop == loop", "loop | list | length", "loop | tojson", "'y' if loop else 'n'",
        "loop.cycle is callable", "loop.cycle('a', 'b')", "loop is defined",
    )),
    "{% for i in [1, 2] %}{% set l = loop %}{{ l.index }}{{ l.cycle('a', 'b') }}{% endfor %}", "{% for i in [1, 2] %}{% for j in loop %}{{ j }}{% endfor %}{% endfor %}", "{% for i in [1] %}{% for k, v in loop.items() %}{{ k }}{% endfor %}{% endfor %}",
    *(SPACE % end for key in ("f", "foo", "items", "keys", "get", "update", "pop", "copy", "name") for end in (f"ns.{key}", f"ns['{key}']", f"ns.{key} is defined")),
    *(SPACE % end for end in ("ns", "ns.get('f')", "ns.items() | list | length", "ns | length", "'f' in ns", "ns is mapping", "ns is iterable", "ns | tojson", "ns | list | length", "'y' if ns else 'n'")),
    *(f"{{{{ {of}.{key} }}}}" for of in ("raise_exception", "namespace", "'a'.upper") for key in ("name", "arguments", "foo")),
    *(f"{{{{ {of}.{key} }}}}" for of in ("range(3)", "range(9)[2:]", "[1, 2]", "(1, 2)") for key in ("start", "stop", "step", "foo", "index is callable")),
]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    lines = []
    for source in dict.fromkeys(SOURCES):
        try:
            text = _compile_jinja_template(source).render(messages=[])
        except Exception:
            text = None
        # What names a place in memory is no answer.
        lines.append({"source": source, "text": None if text and " at 0x" in text else text})
    args.out.write_text("".join(json.dumps(line) + "\n" for line in lines))
    print(f"{len(lines)} templates, {sum(line['text'] is None for line in lines)} refused")


if __name__ == "__main__":
    main()
