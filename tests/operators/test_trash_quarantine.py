"""What `repair` has set aside: shown by `ngshare-fs trash`, and brought back to the path that it had."""

import os
from contextlib import closing
from pathlib import Path

import pytest

from ngshare_fs.store import Volume
from ngshare_fs.store.repairing import bringing_back
from ngshare_fs.store.upkeep.restoring import PlaceTaken
from ngshare_fs.store.upkeep.trash_entries import find_entry
from tests.operators.deleted import OF_OLD, command, journal, plain
from tests.operators.running import Command
from tests.verifying import codes, everything
from tests.volumes import COURSE, DELETED, Plain, write_deletion

__all__ = ["command", "plain"]

NOTES = f"courses/{COURSE}/assignments/notes.txt"


def set_aside(plain: Plain, command: Command, path: str = NOTES) -> str:
    """Something stray, set aside by `repair`; gives the entry's name."""
    file = plain.root / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("mine")
    command("repair", "--yes")
    assert not file.exists()
    (entry,) = set(os.listdir(plain.root / "trash")) - {OF_OLD}
    return entry


def record(plain: Plain, path: str, finding: str = "stray") -> Path:
    said = {"kind": "quarantine", "path": path, "finding": finding, "by": "root", "timestamp": DELETED}
    return write_deletion(plain.root, said, "00c0ffee")


def test_the_list_says_where_it_was_and_why_it_is_there(plain: Plain, command: Command) -> None:
    entry = set_aside(plain, command)
    assert f"{NOTES} (stray)" in command("trash", "list").out
    (said,) = [each for each in command("trash", "list", "--json").document["entries"] if each["entry"] == entry]
    assert (said["kind"], said["path"], said["finding"], said["course"]) == ("quarantine", NOTES, "stray", None)
    assert entry in command("trash", "list", COURSE).out
    assert entry not in command("trash", "list", "physics").out


@pytest.mark.parametrize("path", [NOTES, f"courses/{COURSE}/assignments/ps1/drafts/a/b.txt", "courses/notes/a.txt"])
def test_it_comes_back_to_its_path(plain: Plain, command: Command, path: str) -> None:
    entry = set_aside(plain, command, path)
    before = everything(plain.root)
    said = command("trash", "restore", entry, "--dry-run")
    assert (said.code, said.err) == (0, "")
    assert everything(plain.root) == before
    said = command("trash", "restore", entry)
    assert (said.code, said.err) == (0, "")
    assert (plain.root / path).read_text() == "mine"
    assert os.listdir(plain.root / "trash") == [OF_OLD]
    assert codes(plain.root) != []
    last = journal(plain.root)[-1]
    assert (last["what"], last["detail"].startswith(f"quarantine {entry}: courses/")) == ("restore", True)


def test_nothing_is_replaced(plain: Plain, command: Command) -> None:
    entry = set_aside(plain, command)
    (plain.root / NOTES).write_text("another")
    said = command("trash", "restore", entry)
    assert (said.code, said.out) == (1, "")
    assert f"something is at {NOTES} by now" in said.err
    assert (plain.root / NOTES).read_text() == "another"
    assert (plain.root / "trash" / entry / "notes.txt").read_text() == "mine"


def test_nothing_is_replaced_that_came_at_the_last_moment(plain: Plain, command: Command) -> None:
    name = set_aside(plain, command)
    with closing(Volume.open_existing(plain.root)) as volume:
        planned = bringing_back.plan(volume, find_entry(volume, name))
        (plain.root / NOTES).write_text("another")
        with pytest.raises(PlaceTaken):
            bringing_back.bring_back(volume, planned)
    assert (plain.root / NOTES).read_text() == "another"
    assert (plain.root / "trash" / name / "notes.txt").read_text() == "mine"


def test_no_way_leads_over_a_link(plain: Plain, command: Command, tmp_path: Path) -> None:
    entry = set_aside(plain, command)
    moved = plain.course / "assignments"
    moved.rename(tmp_path / "elsewhere")
    moved.symlink_to(tmp_path / "elsewhere")
    said = command("trash", "restore", entry)
    assert said.code == 1
    assert "is a link" in said.err
    assert not (tmp_path / "elsewhere" / "notes.txt").exists()


def test_a_folder_that_is_gone_is_named(plain: Plain, command: Command) -> None:
    (record(plain, "courses/physics/notes.txt") / "notes.txt").write_text("mine")
    said = command("trash", "restore", "20200301T080000.000000Z-00c0ffee")
    assert said.code == 1
    assert "there is no folder courses/physics to which courses/physics/notes.txt could go back" in said.err


@pytest.mark.parametrize(
    ("path", "finding", "put", "why"),
    [
        (".ngshare/locks/x", "stray", "x", "the servers' own"),
        ("layout-1", "replaced in the upgrade from layout-1", "layout-1", "was not found wrong"),
        ("courses/notes.txt", "stray", "other.txt", "has no 'notes.txt'"),
        ("courses/notes.txt", "stray", "", "is empty"),
        ("courses/../../notes.txt", "stray", "notes.txt", "must not lead out of it"),
        ("/etc/notes.txt", "stray", "notes.txt", "must not lead out of it"),
    ],
)
def test_what_cannot_come_back_says_why(
    plain: Plain, command: Command, path: str, finding: str, put: str, why: str
) -> None:
    entry = record(plain, path, finding)
    if put:
        (entry / put).write_text("mine")
    command("trash", "list")
    said = command("trash", "restore", entry.name)
    assert (said.code, said.out) == (1, "")
    assert why in said.err
    assert not put or (entry / put).read_text() == "mine"


def test_a_link_stays_in_quarantine(plain: Plain, command: Command) -> None:
    entry = record(plain, "courses/link")
    (entry / "link").symlink_to("/etc")
    said = command("trash", "restore", entry.name)
    assert (said.code, "neither a file nor a folder" in said.err) == (1, True)
    assert (entry / "link").is_symlink()


def test_another_name_is_refused(plain: Plain, command: Command) -> None:
    entry = set_aside(plain, command)
    said = command("trash", "restore", entry, "--as", "mine.txt")
    assert (said.code, "leave --as out" in said.err) == (1, True)
