"""Each parser on the inputs that earlier searches kept, and, in the long check, in a search of a minute."""

import importlib.util
import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from examples import environments
from tests.fuzz.targets import NAMES, how_to_repeat, kept, load

REPOSITORY = Path(__file__).parents[2]
SECONDS = 60
# To start, and to try what was kept.
MORE_SECONDS = 240
# Beside tests that keep the processors busy, the searches get a fifth of them; all of them where nothing else runs.
NICENESS = "10"


@pytest.mark.parametrize("name", NAMES)
def test_what_was_kept(name: str) -> None:
    inputs = kept(name)
    assert inputs
    for data in inputs:
        try:
            load(name).check(data)
        except Exception as error:
            raise AssertionError(f"to repeat it: {how_to_repeat(name, data)}") from error


@pytest.mark.long
def test_searches_find_nothing() -> None:
    """All side by side, for a minute, and behind all other tests: what waits for a processor goes first."""
    # In the same order each time, or the check would fail one day over what has been so all along. To search in a new
    # order, longer, and from where the last search ended: `python -m tests.fuzz NAME --found FOLDER`.
    python = _python()

    def search(name: str) -> "subprocess.CompletedProcess[str]":
        return _run(python, name, "--seconds", str(SECONDS), "--seed", "1", before=("nice", "-n", NICENESS))

    with ThreadPoolExecutor(len(NAMES)) as side_by_side:
        ended = dict(zip(NAMES, side_by_side.map(search, NAMES), strict=True))
    for name, done in ended.items():
        assert done.returncode == 0, f"{name}:\n{done.stdout[-20_000:]}"
        assert _tried(done.stdout) > 2 * len(kept(name)), f"{name} searched for next to nothing:\n{done.stdout}"


@pytest.mark.long
def test_a_search_finds_what_is_wrong_and_says_how_to_repeat_it() -> None:
    done = _run(_python(), "deliberately_wrong", "--seconds", str(SECONDS))
    assert done.returncode != 0
    repeated = re.search(r"python -m tests\.fuzz deliberately_wrong --input '(\S+)'", done.stdout)
    assert repeated, done.stdout
    again = _run(Path(sys.executable), "deliberately_wrong", "--input", repeated[1])
    assert again.returncode != 0
    assert "AssertionError" in again.stdout


def _python() -> Path:
    """An interpreter that has Atheris: this one, or that of an environment which is made for it.

    It is skipped where there is none for this machine.
    """
    if importlib.util.find_spec("atheris"):
        return Path(sys.executable)
    try:
        return environments.made("fuzz", [["--editable", f"{REPOSITORY}[fuzz]"]]) / "python"
    except RuntimeError as error:
        if sys.platform == "linux" and os.uname().machine == "x86_64":
            raise
        pytest.skip(f"Atheris cannot be installed here: {error}")


def _run(python: Path, *arguments: str, before: tuple[str, ...] = ()) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [*before, str(python), "-m", "tests.fuzz", *arguments],
        cwd=REPOSITORY,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
        timeout=SECONDS + MORE_SECONDS,
    )


def _tried(output: str) -> int:
    found = re.search(r"stat::number_of_executed_units:\s*(\d+)", output)
    return int(found[1]) if found else 0
