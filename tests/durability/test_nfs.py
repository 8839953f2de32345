"""A volume that two machines have mounted by NFSv4.2, with a real server and real clients in a guest."""

import json
from pathlib import Path

import pytest

from tests.durability.guest import nfs
from tests.durability.guest.machine import python, run_in_guest, why_not_here

pytestmark = [pytest.mark.durability, pytest.mark.long]

PATIENCE = 240


@pytest.mark.parametrize("how", ["guarded", "unguarded"])
def test_a_machine_that_comes_back_overwrites_nothing(tmp_path: Path, how: str) -> None:
    """Unguarded it does: then the one who is asked whether the lock still holds is left out."""
    reason = why_not_here(*nfs.PROGRAMS)
    if reason is not None:
        pytest.skip(reason)
    output = run_in_guest(python("tests.durability.guest.lost_lock", how), tmp_path / "guest", PATIENCE)
    found = json.loads(output.splitlines()[-1])
    print(found)
    if how == "unguarded":
        assert found["said"] == "done"
        assert found["students"] == ["before", "ours"]
    else:
        assert found["said"].startswith("refused: the lock of course NBG 101 was lost")
        assert found["students"] == ["before", "ours", "theirs"]
