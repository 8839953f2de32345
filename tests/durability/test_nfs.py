"""The tests of shared volumes by NFSv4.2, with a real server and real clients, in a guest."""

from pathlib import Path

import pytest

from tests.durability.guest import nfs
from tests.durability.guest.machine import python, run_in_guest, why_not_here

pytestmark = [pytest.mark.durability, pytest.mark.long]

PATIENCE = 600
FOLDER = Path(__file__).parent
# The second one is found by its name alone.
TESTS = (FOLDER / "test_shared_volumes.py", FOLDER / "guest/nfs_alone.py")


def test_all_of_it_by_nfs(tmp_path: Path) -> None:
    reason = why_not_here(*nfs.PROGRAMS)
    if reason is not None:
        pytest.skip(reason)
    # What is said of each test tells which of them failed.
    options = ("--long", "-n", "0", "-v", "-s", "-p", "no:cacheprovider", "--durations=0")
    command = python("pytest", *options, *map(str, TESTS))
    output = run_in_guest(command, tmp_path / "guest", PATIENCE)
    print(output)
    assert " skipped" not in output.splitlines()[-1]
