"""What Jinja in transformers makes of the templates in golden/jinja_scopes.txt, a line each: what macros, loops and blocks see, what is no list,
what generators leave, and what is no template. One JSON object a line: {"source", "text": null where it is refused}; the first has the variables.

    python golden/jinja_scopes.py --out golden/jinja_scopes.jsonl
"""
import argparse
import json
from pathlib import Path

from transformers.utils.chat_template_utils import _compile_jinja_template

VARIABLES = {"d": {"a": 1}, "l": [1, 2], "n": 5, "f": 2.5, "s": "xyz", "e": "", "messages": [{"role": "user", "content": "hi"}]}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    sources = Path(__file__).with_suffix(".txt").read_text(encoding="utf-8").rstrip("\n").split("\n")
    with open(args.out, "w", encoding="utf-8") as out:
        out.write(json.dumps({"variables": VARIABLES}) + "\n")
        for source in dict.fromkeys(sources):
            try:
                text = _compile_jinja_template(source).render(**json.loads(json.dumps(VARIABLES)))
            except Exception:  # TemplateError, SyntaxError and TypeError of Python inside the template
                text = None
            # What Python writes of its own objects has their addresses.
            out.write(json.dumps({"source": source, "text": "<object>" if text and " at 0x" in text else text}) + "\n")
    print(args.out)


if __name__ == "__main__":
    main()
