"""Runs a notebook from a clean kernel: python execute.py IN.ipynb [--out OUT.ipynb] [--timeout SECONDS]

Writes the outputs only when no cell failed. Times and machine paths are left out, so that an unchanged notebook stays the same.
"""
import argparse
import os
import re
import sys

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError


def tidy(notebook):
    """What must not be kept: execution times, the home folder, progress that has ended."""
    home = os.path.expanduser("~")
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
        if cell.cell_type != "code":
            continue
        kept = []
        for output in cell.outputs:
            data = output.get("data", {})
            if data and not "".join(str(v) for v in data.values()).strip():
                continue
            if output.get("name") == "stderr":
                continue
            output.pop("transient", None)
            for holder, key in [(output, "text")] + [(data, k) for k in ("text/plain", "text/html")]:
                if isinstance(holder.get(key), str):
                    holder[key] = re.sub(re.escape(home), "~", holder[key])
            if kept and output.output_type == "stream" and kept[-1].output_type == "stream":
                kept[-1].text += output.text  # a stream of tokens is one text
            else:
                kept.append(output)
        cell.outputs = kept


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("notebook")
    parser.add_argument("--out")
    parser.add_argument("--timeout", type=int, default=600)
    args = parser.parse_args()
    notebook = nbformat.read(args.notebook, as_version=4)
    folder = os.path.dirname(os.path.abspath(args.notebook))
    client = NotebookClient(notebook, timeout=args.timeout, kernel_name="loupe", resources={"metadata": {"path": folder}})
    try:
        client.execute()
    except CellExecutionError as error:
        sys.exit(f"{args.notebook}: {error}")
    tidy(notebook)
    if args.out:
        nbformat.write(notebook, args.out)


if __name__ == "__main__":
    main()
