"""The command that tries mount options: with the defaults of NFS, two servers do not agree."""

import json
from pathlib import Path

import pytest

from tests.durability import mount_options
from tests.durability.guest import nfs
from tests.durability.guest.machine import why_not_here

pytestmark = pytest.mark.durability

JUDGED = {"judged": 76, "seconds": 73, "operations": 2969, "unexplained": 23, "torn": 1, "wrong answers": 9, "5xx": 7}
SEEN = {"a submission": 0.0, "a roster's change": 2.1}
AT_ONCE = {"made": 27, "lost": 3, "refused": 5}
AGREE = {"options": "rw", "disk": "ext4", "judged": JUDGED, "seconds until seen": SEEN, "roster at once": AT_ONCE}
COST = {"own list": {"ms": 9.0, "calls": 20.1}, "fetch": {"ms": 12.8, "calls": 69.0}}


def test_what_was_found_can_be_shown_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "found.jsonl"
    rows = [AGREE, {"options": "local", "costs": COST}, {"options": "lookupcache=none", "costs": COST}]
    file.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    mount_options.main(["--show", str(file)])
    said = capsys.readouterr().out
    assert "| `rw` | ext4 | 76 in 73 s, 2,969 operations | 23, 1 torn | 9 (7) | 0 | 3 of 27 | 0 s, 2.1 s |\n" in said, (
        said
    )
    assert "| | local | lookupcache=none |\n" in said
    assert "| own list | 9 ms, 20.1 | 9 ms, 20.1 |\n" in said


@pytest.mark.long
def test_with_the_defaults_of_nfs_two_servers_do_not_agree(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Which shows that the judge would see it where they do not with what is documented: see `guest/nfs_alone.py`."""
    reason = why_not_here(*nfs.PROGRAMS)
    if reason is not None:
        pytest.skip(reason)
    file = tmp_path / "found.jsonl"
    mount_options.main(["rw", "--first-fault", "--seconds", "120", "--json", str(file)])
    found = json.loads(file.read_text())
    assert found["judged"].get("unexplained", 0) + found["judged"].get("wrong answers", 0) > 0
    assert "| `rw` | ext4 |" in capsys.readouterr().out
