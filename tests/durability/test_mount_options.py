"""The command that tries mount options: by default two servers on NFS do not agree, with what is documented they do."""

import json
from pathlib import Path
from typing import Any

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


def found_with(options: str, seconds: int, folder: Path) -> Any:
    reason = why_not_here(*nfs.PROGRAMS)
    if reason is not None:
        pytest.skip(reason)
    file = folder / "found.jsonl"
    mount_options.main([options, "--seconds", str(seconds), "--json", str(file)])
    [line] = file.read_text().splitlines()
    return json.loads(line)


@pytest.mark.long
def test_with_the_defaults_of_nfs_two_servers_do_not_agree(tmp_path: Path) -> None:
    """Which shows that the judge would see it."""
    found = found_with("rw", 45, tmp_path)
    assert found["judged"].get("unexplained", 0) + found["judged"].get("wrong answers", 0) > 0


@pytest.mark.long
def test_with_the_documented_option_they_do(tmp_path: Path) -> None:
    found = found_with(nfs.MOUNT_OPTIONS, 45, tmp_path)
    wrong = {"unexplained", "wrong answers", "submissions lost", "findings", "mounts differ", "torn", "undecided"}
    assert not wrong & found["judged"].keys(), found["judged"]
    assert found["seconds until seen"] == dict.fromkeys(found["seconds until seen"], 0.0)
    assert found["roster at once"]["lost"] == 0
