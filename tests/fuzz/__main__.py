"""Searches for inputs that a parser gets wrong; that needs Atheris, in the extra `fuzz`."""

import argparse
import base64
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.fuzz.targets import CORPUS, NAMES, kept, load

# What an input may take. The parsers promise more: they hold no more than the token under way.
LONGEST_INPUT = 512
MOST_MEMORY_MIB = 1024
MOST_SECONDS_OF_ONE = 10
# Targets write files, thousands a second.
MEMORY = "/dev/shm"


def main() -> int:
    """Search, or try inputs."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.fuzz", description="Look for inputs that a parser gets wrong."
    )
    parser.add_argument("target", help=", ".join(NAMES))
    parser.add_argument("--seconds", type=int, default=60, help="how long to search (default: 60)")
    parser.add_argument(
        "--seed", type=int, default=0, help="search in the same order each time (default: in a new one)"
    )
    parser.add_argument("--found", type=Path, help="a folder that keeps what reaches more code, for the next search")
    parser.add_argument(
        "--keep", action="store_true", help="then keep the shortest inputs that reach it all in corpus/"
    )
    parser.add_argument("--input", help="do not search: try this input, in base64")
    given = parser.parse_args()
    if given.input is not None:
        load(given.target).check(base64.b64decode(given.input))
        print("right")
        return 0
    with tempfile.TemporaryDirectory(prefix="fuzz-", dir=MEMORY if os.path.isdir(MEMORY) else None) as folder:
        return _search(given.target, given.seconds, given.seed, given.found, given.keep, Path(folder))


def _search(name: str, seconds: int, seed: int, found: Path | None, keep: bool, scratch: Path) -> int:
    found = found or scratch / "found"
    seeds, dictionary = scratch / "seeds", scratch / "dictionary"
    for folder in (found, seeds):
        folder.mkdir(parents=True, exist_ok=True)
    for number, data in enumerate(kept(name)):
        (seeds / str(number)).write_bytes(data)
    dictionary.write_text("".join(f'"{_escaped(word)}"\n' for word in load(name).DICTIONARY))
    options = [
        f"-max_len={LONGEST_INPUT}",
        f"-rss_limit_mb={MOST_MEMORY_MIB}",
        f"-timeout={MOST_SECONDS_OF_ONE}",
        f"-artifact_prefix={scratch}/",
        f"-seed={seed}",  # 0: libFuzzer draws one
        "-print_final_stats=1",
    ]
    code = _run(name, scratch, f"-max_total_time={seconds}", f"-dict={dictionary}", *options, str(found), str(seeds))
    if code == 0 and keep:
        shortest = scratch / "shortest"
        shortest.mkdir()
        code = _run(name, scratch, "-merge=1", *options, str(shortest), str(found), str(seeds))
        lines = sorted(base64.b64encode(file.read_bytes()).decode() for file in shortest.iterdir())
        (CORPUS / f"{name}.txt").write_text("".join(line + "\n" for line in sorted(lines, key=len)))
    return code


def _run(name: str, scratch: Path, *options: str) -> int:
    # libFuzzer ends its process at once: what the target had for a while lies where this one removes it.
    environment = {**os.environ, "TMPDIR": str(scratch)}
    command = [sys.executable, "-m", "tests.fuzz.search", name, *options]
    return subprocess.run(command, env=environment, check=False).returncode


def _escaped(word: bytes) -> str:
    return "".join(f"\\x{byte:02x}" for byte in word)


if __name__ == "__main__":
    sys.exit(main())
