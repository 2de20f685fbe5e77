"""Templates of many makes and conversations of odd forms, as transformers' apply_chat_template writes them, one JSON object a line.

    python golden/chat_odd_cases.py --out golden/chat_odd.jsonl

Lines: {"template": name, "source": Jinja, once a template} and {"template": name, "messages", "answer", "text": null where it is refused}.
"""
import argparse
import json
from pathlib import Path

from chat_cases import FOLDS, REFUSES
from transformers import GemmaTokenizer

PLAIN = "{{ bos_token }}{% for m in messages %}[{{ m.role }}]{{ m.content }}{% endfor %}"
LOOSE = "{%- for m in messages %}\n{%- if m.role == 'user' %}\nQ: {{ m.content }}\n{% endif %}\n{% endfor %}\nA:\n"
LLAMA = """{{- bos_token }}
{%- if not date_string is defined %}
    {%- set date_string = "26 Jul 2024" %}
{%- endif %}
{%- if messages[0]['role'] == 'system' %}
    {%- set system_message = messages[0]['content']|trim %}
    {%- set messages = messages[1:] %}
{%- else %}
    {%- set system_message = "" %}
{%- endif %}
{{- "<|start_header_id|>system<|end_header_id|>\\n\\n" }}
{%- if tools is not none %}
    {{- "Environment: ipython\\n" }}
{%- endif %}
{{- "Today Date: " + date_string + "\\n\\n" }}
{{- system_message }}
{{- "<|eot_id|>" }}
{%- for message in messages %}
    {%- if not (message.role == 'ipython' or message.role == 'tool' or 'tool_calls' in message) %}
        {{- '<|start_header_id|>' + message['role'] + '<|end_header_id|>\\n\\n'+ message['content'] | trim + '<|eot_id|>' }}
    {%- elif 'tool_calls' in message %}
        {%- if not message.tool_calls|length == 1 %}
            {{- raise_exception("This model only supports single tool-calls at once!") }}
        {%- endif %}
        {%- set tool_call = message.tool_calls[0].function %}
        {{- '{"name": "' + tool_call.name + '", "parameters": ' }}
        {{- tool_call.arguments | tojson }}
        {{- "}<|eot_id|>" }}
    {%- elif message.role == "tool" or message.role == "ipython" %}
        {{- "<|start_header_id|>ipython<|end_header_id|>\\n\\n" }}
        {%- if message.content is mapping or message.content is iterable and message.content is not string %}
            {{- message.content | tojson }}
        {%- else %}
            {{- message.content }}
        {%- endif %}
        {{- "<|eot_id|>" }}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|start_header_id|>assistant<|end_header_id|>\\n\\n' }}
{%- endif %}
"""
CHATML = """{%- if tools %}
    {{- '<|im_start|>system\\n# Tools' }}
{%- else %}
    {%- if messages[0]['role'] == 'system' %}
        {{- '<|im_start|>system\\n' + messages[0]['content'] + '<|im_end|>\\n' }}
    {%- else %}
        {{- '<|im_start|>system\\nYou are a model.<|im_end|>\\n' }}
    {%- endif %}
{%- endif %}
{%- set ns = namespace(multi_step_tool=true, last=messages|length - 1) %}
{%- for message in messages[::-1] %}
    {%- set index = (messages|length - 1) - loop.index0 %}
    {%- if ns.multi_step_tool and message.role == "user" and not(message.content.startswith('<tool_response>') and message.content.endswith('</tool_response>')) %}
        {%- set ns.multi_step_tool = false %}
        {%- set ns.last = index %}
    {%- endif %}
{%- endfor %}
{%- for message in messages %}
    {%- if (message.role == "user") or (message.role == "system" and not loop.first) or (message.role == "assistant" and not message.tool_calls) %}
        {{- '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>' + '\\n' }}
    {%- elif message.role == "assistant" %}
        {{- '<|im_start|>' + message.role }}
        {%- if message.content %}
            {{- '\\n' + message.content }}
        {%- endif %}
        {%- for tool_call in message.tool_calls %}
            {%- if tool_call.function is defined %}
                {%- set tool_call = tool_call.function %}
            {%- endif %}
            {{- '\\n<tool_call>\\n{"name": "' }}
            {{- tool_call.name }}
            {{- '", "arguments": ' }}
            {{- tool_call.arguments | tojson }}
            {{- '}\\n</tool_call>' }}
        {%- endfor %}
        {{- '<|im_end|>\\n' }}
    {%- elif message.role == "tool" %}
        {%- if (loop.index0 == 0) or (messages[loop.index0 - 1].role != "tool") %}
            {{- '<|im_start|>user' }}
        {%- endif %}
        {{- '\\n<tool_response>\\n' }}
        {{- message.content }}
        {{- '\\n</tool_response>' }}
        {%- if loop.last or (messages[loop.index0 + 1].role != "tool") %}
            {{- '<|im_end|>\\n' }}
        {%- endif %}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|im_start|>assistant\\n' }}
{%- endif %}
"""
MISTRAL = """{%- if messages[0]["role"] == "system" %}
    {%- set system_message = messages[0]["content"] %}
    {%- set loop_messages = messages[1:] %}
{%- else %}
    {%- set loop_messages = messages %}
{%- endif %}
{%- set user_messages = loop_messages | selectattr("role", "equalto", "user") | list %}
{%- set ns = namespace() %}
{%- set ns.index = 0 %}
{%- for message in loop_messages %}
    {%- if not (message.role == "tool" or message.role == "tool_results" or (message.tool_calls is defined and message.tool_calls is not none)) %}
        {%- if (message["role"] == "user") != (ns.index % 2 == 0) %}
            {{- raise_exception("After the optional system message, conversation roles must alternate user/assistant/user/assistant/...") }}
        {%- endif %}
        {%- set ns.index = ns.index + 1 %}
    {%- endif %}
{%- endfor %}
{{- bos_token }}
{%- for message in loop_messages %}
    {%- if message["role"] == "user" %}
        {%- if loop.last and system_message is defined %}
            {{- "[INST] " + system_message + "\\n\\n" + message["content"] + "[/INST]" }}
        {%- else %}
            {{- "[INST] " + message["content"] + "[/INST]" }}
        {%- endif %}
    {%- elif message["role"] == "assistant" %}
        {{- " " + message["content"]|trim + eos_token}}
    {%- else %}
        {{- raise_exception("Only user and assistant roles are supported, with the exception of an initial optional system message!") }}
    {%- endif %}
{%- endfor %}
"""
# What Jinja is in Python, a line each: values printed, sums, comparisons, scopes, loops that end early, text.
PYTHON = """{{ true }} {{ none }} {{ 1.0 }} {{ 3 // 2 }} {{ -7 % 3 }} {{ 7 / 2 }} {{ nothing }}|
{{ 1 == '1' }} {{ 0 == '' }} {{ none == nothing }} {{ [1, 'a'] == [1, 'a'] }} {{ {'a': 1} == {'a': 1} }} {{ true == 1 }} {{ 'a' < 'b' }}
{% for m in messages %}{% if loop.first %}{% set seen = 'yes' %}{% endif %}{{ seen | default('no') }}{% endfor %}|
{% for m in messages %}{{ loop.index }}{% if loop.index == 2 %}{% break %}{% endif %},{% endfor %}|
{% for m in messages %}{{ loop.index }}{% if loop.index == 1 %}{% continue %}{% endif %},{% endfor %}|
{% for x in nothing %}x{% else %}empty{% endfor %}{% for c in 'abc' %}{{ c }}.{% endfor %}|{{ nothing | length }}{{ nothing | trim }}{{ 5 | trim }}{{ none | string }}|
{{ 'xxaxx'.strip('x') }} {{ '\\n a \\n'.strip() }} {{ ' a '.rstrip() }}| {{ 'a' ~ 5 ~ none ~ nothing ~ true }} {{ '=' * 3 }} {{ 'hELLO wORLD' | capitalize }} {{ 'hELLO wORLD' | title }}
{{ ['a', 1, true] | join('-') }} {{ 'a-b-c' | replace('-', '+') }} {{ 'a-b-c'.replace('-', '', 1) }} {{ '👍é' | length }} {{ {'a': [1, none, true, 'é"']} | tojson }} {{ 'x' in 'xyz' }} {{ 1 in [1, 2] }} {{ '1' in [1, 2] }}
{{ messages | map(attribute='role') | join(',') }} {{ messages | selectattr('role', 'equalto', 'user') | list | length }} {{ (messages | first).role }} {{ messages[-1].role }} {{ messages[9] is defined }}
{% set ns = namespace(n=0) %}{% for m in messages %}{% set ns.n = ns.n + 1 %}{% endfor %}{{ ns.n }}{% macro f(a, b='d') %}({{ a }}{{ b }}){% endmacro %}{{ f(1) }}{{ f('x', b='y') }}{% set block %} b {% endset %}[{{ block }}]{% filter upper %}up{% endfilter %}
{{ messages[0].content | trim }}|{{ 'a' if messages else 'b' }}{{ 'c' if nothing }}{{ not nothing }} {{ 'A' | lower }} {{ [3, 1, 2] | sort | join }} {{ [1, 2, 3][1:] | length }} {{ 'abc'[::-1] }} {{ 'a b'.split() | length }} {{ range(3) | list | length }}{%- if true -%}   x {%- endif %}
"""
TEMPLATES = {
    "plain": PLAIN, "plain, CRLF": PLAIN.replace("%}", "%}\r\n"), "loose": LOOSE, "loose, CRLF": LOOSE.replace("\n", "\r\n"), "loose, CR": LOOSE.replace("\n", "\r"),
    "folds": FOLDS, "folds, CRLF": FOLDS.replace("\n", "\r\n"), "refuses": REFUSES, "llama": LLAMA, "chatml": CHATML, "mistral": MISTRAL, "python": PYTHON,
    "tools and documents": "{% if tools is not none %}TOOLS{% endif %}{% if documents is not none %}DOCS{% endif %}{{ tools is defined }}{% for m in messages %}{{ m.content }}{% endfor %}",
    "generation": "{% for m in messages %}{% if m.role == 'assistant' %}{% generation %}{{ m.content }}{% endgeneration %}{% else %}\n{%- generation -%}\n {{ m.content }} {%- endgeneration %}\n.{% endif %}{% endfor %}",
    "tokens": "{{ bos_token }}{{ eos_token }}{{ pad_token }}{{ unk_token }}{% for m in messages %}{{ m.content }}{{ eos_token }}{% endfor %}{{ add_generation_prompt }}",
    "upper": "{% for m in messages %}{{ m['role'] | upper }}: {{ m['content'] | trim | indent(2) }}\n{% endfor %}",
    "undefined": "{% for m in messages %}{{ m.tool.name }}{% endfor %}",
    "sum": "{% for m in messages %}{{ m.role + ': ' + m.content + '\\n' }}{% endfor %}",
}
user, model = (lambda content: {"role": "user", "content": content}), (lambda content: {"role": "assistant", "content": content})
system = lambda content: {"role": "system", "content": content}
parts = lambda *texts: [{"type": "text", "text": t} for t in texts]
CALL = {"role": "assistant", "content": None, "tool_calls": [{"type": "function", "function": {"name": "look", "arguments": {"at": "é", "n": 2}}}]}
CONVERSATIONS = [
    [user("What?")],
    [user("  spaces\n"), model(" yes \n"), user("\ufeffmark\u00a0")],
    [system("Be brief."), user("Hi")],
    [system("One."), system("Two."), user("Hi")],
    [user("Hi"), system("Late."), user("Go on")],
    [user("Hi"), model("Yes"), system("Late."), user("Go on")],
    [user("One"), user("Two")],
    [user("Hi"), model("Yes"), model("No")],
    [model("I begin")],
    [system("Alone.")],
    [user("Hi"), {"role": "tool", "content": "42"}],
    [user("Hi"), CALL, {"role": "tool", "content": "42"}, model("It is 42.")],
    [user("Hi"), {"role": "model", "content": "Yes"}],
    [user("Hi"), {"role": "narrator", "content": "Then"}],
    [user(parts("Hello"))],
    [user(parts("Hello ", " there"))],
    [system(parts("Be brief.")), user(parts("Hi"))],
    [user([])],
    [user(None)],
    [user("Hi"), model(None), user("So?")],
    [{"role": "user"}],
    [user(5)],
    [user(2.5)],
    [user(True)],
    [user("")],
    [user("\x1c\x85 odd spaces \u2003\x1f")],
]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    one = GemmaTokenizer()
    with open(args.out, "w", encoding="utf-8") as out:
        for name, source in TEMPLATES.items():
            out.write(json.dumps({"template": name, "source": source}) + "\n")
            for i, messages in enumerate(CONVERSATIONS):
                answer = i % 2 == 0
                try:
                    text = one.apply_chat_template(messages, chat_template=source, tokenize=False, add_generation_prompt=answer)
                except Exception:  # TemplateError, TypeError of Python inside the template
                    text = None
                out.write(json.dumps({"template": name, "messages": messages, "answer": answer, "text": text}) + "\n")
    print(args.out)


if __name__ == "__main__":
    main()
