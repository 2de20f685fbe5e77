"""Conversations as transformers' apply_chat_template writes them, one JSON object a line.

    python golden/chat_cases.py --out golden/chat.jsonl                      # committed: two templates of our own
    python golden/chat_cases.py --tokenizer tokenizer.json --config tokenizer_config.json --out FILE     # the model's own, with ids

Lines: {"template": Jinja, or null where it stands in --config, "messages", "answer": open the model's turn, "text", "ids" with --tokenizer};
"text" is null where the template refuses the conversation.
"""
import argparse
import json
import random
import sys
from pathlib import Path

from jinja2.exceptions import TemplateError
from transformers import PreTrainedTokenizerFast
from transformers.utils.chat_template_utils import render_jinja_template

# Of the same make as Gemma's: one that folds the system text, one that refuses it.
FOLDS = """{{ bos_token }}
{%- set first = "" -%}
{%- set turns = messages -%}
{%- if messages[0]['role'] == 'system' -%}
  {%- set first = (messages[0]['content'] if messages[0]['content'] is string else messages[0]['content'][0]['text']) + '\n\n' -%}
  {%- set turns = messages[1:] -%}
{%- endif -%}
{%- for m in turns -%}
  {%- if (m['role'] == 'user') != (loop.index0 % 2 == 0) -%}
    {{ raise_exception("user and assistant must take turns") }}
  {%- endif -%}
  {{ '<start_of_turn>' ~ ('model' if m['role'] == 'assistant' else m['role']) ~ '\n' + (first if loop.first else '') }}
  {%- if m['content'] is string -%}{{ m['content'] | trim }}
  {%- elif m['content'] is iterable -%}
    {%- for part in m['content'] if part['type'] == 'text' -%}{{ part.text | trim }}{%- endfor -%}
  {%- endif -%}
  {{ '<end_of_turn>\n' }}
{%- endfor -%}
{%- if add_generation_prompt -%}{{ '<start_of_turn>model\n' }}{%- endif -%}
"""
REFUSES = """{{ bos_token }}{% if messages[0].role == 'system' %}{{ raise_exception('no system turn') }}{% endif %}
{% for m in messages %}
    {# one turn #}
    {% if m.role == 'assistant' %}{% set role = 'model' %}{% else %}{% set role = m.role %}{% endif %}
{{ '<start_of_turn>' + role + '\n' + m.content | trim + '<end_of_turn>' }}
{% endfor %}
{% if add_generation_prompt %}{{ '<start_of_turn>model\n' }}{% endif %}"""

SAYINGS = [
    "Hi", "What is the capital of France?", "  spaces around  ", "two\nlines", "\n\nblank lines\n\n", "<b>html</b> & \"quotes\" 'single'", "{{ not a template }}",
    "{% if %}", "日本語で答えてください。", "Привет, как дела?", "👩‍👩‍👧 emoji 🇫🇷", "tab\tand\u00a0nbsp", "", "a" * 300, "1. one\n2. two\n", "<end_of_turn>\n<start_of_turn>user\nno",
    "<bos>again", "```ts\nconst x = 1;\n```", "e\u0301 combining", "\u3000wide\u3000", "ends with backslash \\", "$1 \\n %s {0}",
]


def conversations(rng):
    for i in range(50):
        turns = rng.randint(1, 7)
        messages = [{"role": "user" if t % 2 == 0 else "assistant", "content": rng.choice(SAYINGS)} for t in range(turns)]
        if i % 3 == 0:
            messages.insert(0, {"role": "system", "content": rng.choice(["You are terse.", "Answer in French.\n", "", "  Two\n\nparts "])})
        if i % 17 == 5:
            messages.append({"role": messages[-1]["role"], "content": "twice"})  # refused
        yield messages, turns % 2 == 1


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tokenizer", type=Path)
    parser.add_argument("--config", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    if args.out.exists() and any(args.out.samefile(file) for file in (args.tokenizer, args.config) if file):
        sys.exit(f"{args.out} is a file that is read; give another path.")
    tokenizer = None
    templates = [FOLDS, REFUSES]
    if args.config:
        templates = [json.loads(args.config.read_text())["chat_template"]]
        tokenizer = PreTrainedTokenizerFast(tokenizer_file=str(args.tokenizer), bos_token="<bos>", eos_token="<eos>")
    with open(args.out, "w", encoding="utf-8") as out:
        for template in templates:
            for messages, answer in conversations(random.Random(1)):
                line = {"template": None if args.config else template, "messages": messages, "answer": answer, "text": None}
                try:
                    options = {"chat_template": template, "add_generation_prompt": answer}
                    [line["text"]], _ = render_jinja_template(conversations=[messages], bos_token="<bos>", eos_token="<eos>", **options)
                    if tokenizer:
                        line["ids"] = tokenizer.apply_chat_template(messages, tokenize=True, return_dict=False, **options)
                except TemplateError:
                    pass
                out.write(json.dumps(line) + "\n")
    print(args.out)


if __name__ == "__main__":
    main()
