"""The short check leaves out what is marked, and repeats less; the long one leaves out nothing."""

import os
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from tests import rounds

ROOT = Path(__file__).parent.parent
# All that the tests' own configuration needs: others take seconds to load.
PLUG_INS = ("pytest_asyncio.plugin", "pytest_aiohttp.plugin", "xdist.plugin")
COLLECTED = ("tests/durability/test_power_cut.py", "tests/kubernetes", "tests/image")

# Collecting takes seconds: it is done once for each option.
pytestmark = pytest.mark.xdist_group("collected")


@cache
def collected(*options: str) -> str:
    """The tests that would run, of some."""
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider"]
    command += [word for plug_in in PLUG_INS for word in ("-p", plug_in)]
    done = subprocess.run(
        [*command, *options, *COLLECTED],
        cwd=ROOT, env={**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED), done.stdout
    return done.stdout


def test_the_short_check_has_one_file_system_and_the_long_one_all() -> None:
    short, long = collected(), collected("--long")
    assert "[2-ext4]" in short
    assert "xfs" not in short.lower()
    assert "btrfs" in long.lower()
    assert "[1-xfs]" in long.lower()


@pytest.mark.parametrize(
    ("tests", "option"),
    [("tests/image", "--long"), pytest.param("tests/kubernetes", "--kubernetes", marks=pytest.mark.long)],
)
def test_what_needs_a_node_or_an_image_runs_where_it_is_asked_for(tests: str, option: str) -> None:
    assert f"{tests}/test_" not in collected()
    assert f"{tests}/test_" in collected(option)


@pytest.mark.parametrize(("long", "asked_for", "expected"), [(False, "", 2), (True, "", 8), (False, "3", 24)])
def test_the_short_check_repeats_less(
    long: bool, asked_for: str, expected: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NGSHARE_FS_ROUNDS", asked_for)
    monkeypatch.setattr(rounds, "_share", rounds.SHORT)
    rounds.ask_for(long)
    assert rounds.rounds(8) == expected
    assert rounds.rounds(1) >= 1
