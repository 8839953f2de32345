"""`ngshare-fs trash list` and `restore`: what was deleted is shown, and comes back whole."""

import errno
import os
import shutil
import tempfile
from functools import partial
from pathlib import Path

import pytest

from ngshare_fs.store import Volume, assignment, course, release, roster, submission
from ngshare_fs.store.format import timestamp
from ngshare_fs.store.upkeep import restoring
from ngshare_fs.store.upkeep.trash_entries import entries_in
from ngshare_fs.store.writing.locks import Locks
from tests.operators.deleted import OF_OLD, command, contents, delete, journal, plain
from tests.operators.running import Command, Ended
from tests.verifying import codes, everything, somebody_else_in
from tests.volumes import (
    ASSIGNMENT,
    COURSE,
    DELETED,
    HOSTILE_NAMES,
    INSTRUCTOR,
    RELEASED,
    RELEASED_FILES,
    STUDENT,
    SUBMITTED,
    Plain,
    folder_of,
    write_course,
    write_deletion,
    write_release,
    write_rich_volume,
)

__all__ = ["command", "plain"]

LONG = "x" * 300


def test_the_list_says_what_by_whom_when_and_until_when(plain: Plain, command: Command) -> None:
    entry = delete(plain.root, "submission")
    write_deletion(
        plain.root, {"kind": "course", "course": "cut short", "by": "root", "timestamp": DELETED}, "00000001"
    )
    before = everything(plain.root)
    said = command("trash", "list", "--trash-days", "30", "--json")
    assert said.code == 0
    by_name = {each["entry"]: each for each in said.document["entries"]}
    assert by_name[OF_OLD] == {
        "entry": OF_OLD,
        "kind": "assignment",
        "course": COURSE,
        "assignment": "old",
        "student": None,
        "submission": None,
        "path": None,
        "finding": None,
        "by": INSTRUCTOR,
        "deleted": DELETED,
        "bytes": sum(map(len, RELEASED_FILES.values())),
        "removed_after": "2020-03-31 08:00:00.000000 UTC",
        "problem": None,
    }
    assert by_name[entry]["student"] == STUDENT
    assert by_name[entry]["submission"] == SUBMITTED
    assert by_name["20200301T080000.000000Z-00000001"]["kind"] == "empty"
    assert [each["entry"] for each in said.document["entries"]] == sorted(by_name)
    table = command("trash", "list", COURSE).out
    assert "cut short" not in table
    assert f"{COURSE} / {ASSIGNMENT} / {STUDENT} / {SUBMITTED}" in table
    assert "never" in command("trash", "list", "--trash-days", "0").out
    assert "Nothing of 'physics' is in the trash." in command("trash", "list", "physics").out
    assert everything(plain.root) == before


def test_what_nobody_can_say_is_listed_and_the_command_says_so(plain: Plain, command: Command) -> None:
    (plain.deletion / "trash.yaml").write_text("kind: thesis\n")
    said = command("trash", "list")
    assert said.code == 1
    assert "unknown" in said.out
    assert "`kind` has to be one of" in said.err
    restored = command("trash", "restore", OF_OLD)
    assert restored.code == 1
    assert "nobody can say what" in restored.err


@pytest.mark.parametrize("what", ["course", "assignment", "submission"])
def test_what_was_deleted_comes_back_whole(what: str, plain: Plain, command: Command) -> None:
    before = contents(plain.course)
    entry = delete(plain.root, what)
    trashed = everything(plain.root)
    assert command("trash", "restore", entry[:-3], "--dry-run").out.startswith(f"Would restore the {what} ")
    assert everything(plain.root) == trashed
    assert contents(plain.course) != before
    assert command("trash", "restore", entry[:-3]).code == 0
    assert contents(plain.course) == before
    assert not (plain.root / "trash" / entry).exists()
    assert codes(plain.root) == []
    assert journal(plain.root)[-1]["what"] == "restore"
    again = command("trash", "restore", entry)
    assert again.code == 1
    assert "nothing in the trash has a name that begins with" in again.err


def test_a_deleted_submission_comes_back_to_a_student_who_has_none_left(plain: Plain, command: Command) -> None:
    entry = delete(plain.root, "submission")
    shutil.rmtree(plain.assignment / "submissions")
    assert command("trash", "restore", entry).code == 0
    assert plain.submission.is_dir()


@pytest.mark.parametrize(("what", "name"), [("course", COURSE), ("assignment", ASSIGNMENT)])
def test_a_place_that_is_taken_is_said_and_another_name_offered(
    what: str, name: str, plain: Plain, command: Command
) -> None:
    before = contents(plain.course if what == "course" else plain.assignment)
    entry = delete(plain.root, what)
    again = plain.course if plain.course.is_dir() else write_course(plain.root, COURSE, [INSTRUCTOR])
    write_release(again, (COURSE, ASSIGNMENT), INSTRUCTOR, RELEASED, {"new": b"1"})
    taken = everything(plain.root)
    said = command("trash", "restore", entry)
    assert said.code == 1
    assert f"{name!r} already. Another name is free: --as '{name} (restored)'" in said.err
    assert everything(plain.root) == {
        **taken,
        **everything(plain.root / ".ngshare"),
        str(plain.root): everything(plain.root)[str(plain.root)],
    }
    assert command("trash", "restore", entry, "--as", f"{name} (restored)").code == 0
    new = f"{name} (restored)"
    place = plain.course.with_name(new) if what == "course" else plain.assignment.with_name(new)
    if what == "course":
        assert (place / "course.yaml").read_text().startswith(f"course: {new}\n")
        before["course.yaml"] = (place / "course.yaml").read_bytes()
    assert contents(place) == before
    assert codes(plain.root) == []


def test_a_submission_whose_place_is_taken_says_what_to_do(plain: Plain, command: Command) -> None:
    entry = delete(plain.root, "submission")
    shutil.copytree(plain.root / "trash" / entry / plain.submission.name, plain.submission)
    said = command("trash", "restore", entry)
    assert said.code == 1
    assert "a submission's time is its name" in said.err
    assert "leave --as out" in command("trash", "restore", entry, "--as", "x").err
    assert (plain.root / "trash" / entry / plain.submission.name).is_dir()


def test_what_it_belonged_to_is_gone_and_where_that_is(plain: Plain, command: Command) -> None:
    of_submission, of_assignment = delete(plain.root, "submission"), delete(plain.root, "assignment")
    said = command("trash", "restore", of_submission)
    assert said.code == 1
    assert f"{COURSE} has no assignment {ASSIGNMENT!r}" in said.err
    assert f"restore that first, it is in {of_assignment}" in said.err
    of_course = delete(plain.root, "course")
    for entry in (of_submission, of_assignment):
        said = command("trash", "restore", entry)
        assert said.code == 1
        assert f"there is no course {COURSE!r}" in said.err
        assert f"restore that first, it is in {of_course}" in said.err
    shutil.rmtree(plain.root / "trash" / of_course)
    assert "not in the trash either" in command("trash", "restore", of_assignment).err


def test_names_of_all_sorts_come_back(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = Command(write_rich_volume(tmp_path / "rich"), capsys)
    volume = Volume.open(command.data)
    before = contents(command.data / "courses")
    for name in HOSTILE_NAMES:
        assignment.delete(volume, "NBG 101", name, "root")
        submission.delete(volume, "NBG 101", ASSIGNMENT, name, timestamp.Timestamp(SUBMITTED), "root")
    for name in course.all_courses(volume):
        course.delete(volume, name, "root")
    for kind in ("course", "assignment", "submission"):
        for entry in list(entries_in(volume)):
            if entry.deletion and entry.deletion.kind == kind and entry.deletion.by == "root" and entry.contents:
                restoring.restore(volume, restoring.plan(volume, entry))
    volume.close()
    found = contents(command.data / "courses")
    cut = folder_of(LONG)  # was in the trash before, and is restored as well
    assert {path: content for path, content in found.items() if not path.startswith(f"{cut}/")} == before
    assert codes(command.data) == []


def test_a_course_gets_a_name_that_is_cut_and_an_assignment_does_not(plain: Plain, command: Command) -> None:
    entry = delete(plain.root, "assignment")
    said = command("trash", "restore", entry, "--as", LONG)
    assert said.code == 1
    assert "is too long" in said.err
    assert command("trash", "restore", entry).code == 0
    entry = delete(plain.root, "course")
    assert command("trash", "restore", entry, "--as", LONG).code == 0
    volume = Volume.open(plain.root)
    assert course.all_courses(volume) == [LONG]
    assert STUDENT in roster.of(volume, LONG).students
    course.delete(volume, LONG, "root")
    volume.close()
    entry = sorted(os.listdir(plain.root / "trash"))[-1]
    assert command("trash", "restore", entry, "--as", "short again").code == 0
    assert codes(plain.root) == []


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ("2020", "'2020' may be 2 entries: 20200301T080000.000000Z-00000001, 20200301T080000.000000Z-0123abcd"),
        ("", "nothing in the trash"),
        ("9999", "nothing in the trash"),
        ("../courses/math", "nothing in the trash"),
        ("20200301T080000.000000Z-00000001", "is empty: the deletion was cut short"),
    ],
)
def test_an_entry_has_to_be_clear(entry: str, said: str, plain: Plain, command: Command) -> None:
    write_deletion(plain.root, {"kind": "course", "course": "c", "by": "root", "timestamp": DELETED}, "00000001")
    before = contents(plain.root)
    found = command("trash", "restore", entry)
    assert found.code == 1
    assert said in found.err
    assert contents(plain.root) == before


@pytest.mark.parametrize("names", [("a.txt", "renamed"), ("old",), ("renamed",)])
def test_what_nobody_can_tell_apart_or_is_no_folder_stays(
    names: tuple[str, ...], plain: Plain, command: Command
) -> None:
    shutil.rmtree(plain.deletion / "old")
    for name in names:
        (plain.deletion / name).write_text("notes")
    before = contents(plain.root)
    said = command("trash", "restore", OF_OLD)
    assert said.code == 1
    assert "move what lies there back by hand" in said.err
    assert contents(plain.root) == before


@pytest.mark.parametrize("name", ["x" * 238, "x" * 235, "講" * 79, "\U0001f4a9" * 60, "é" * 200])
def test_the_name_that_is_offered_will_do(name: str, plain: Plain, command: Command) -> None:
    write_release(plain.course, (COURSE, name), INSTRUCTOR, RELEASED, RELEASED_FILES)
    entry = delete(plain.root, "assignment", name)
    write_release(plain.course, (COURSE, name), INSTRUCTOR, RELEASED, RELEASED_FILES)
    said = command("trash", "restore", entry)
    assert said.code == 1
    free = said.err.partition("--as '")[2].rpartition("'")[0]
    assert command("trash", "restore", entry, "--as", free) == Ended(
        0, f"Restored the assignment {free!r} of 'math'.\n", ""
    )


def test_a_course_whose_file_is_broken_comes_back_as_it_was_and_by_no_other_name(
    plain: Plain, command: Command
) -> None:
    (plain.course / "course.yaml").write_text("course: [\n")
    entry = delete(plain.root, "course")
    said = command("trash", "restore", entry, "--as", "other")
    assert said.code == 1
    assert "course.yaml, line" in said.err
    assert command("trash", "restore", entry).code == 0
    assert (plain.course / "course.yaml").read_text() == "course: [\n"


def test_a_course_without_its_file_comes_back_as_it_was_and_by_no_other_name(plain: Plain, command: Command) -> None:
    entry = delete(plain.root, "course")
    (plain.root / "trash" / entry / COURSE / "course.yaml").unlink()
    said = command("trash", "restore", entry, "--as", "other")
    assert said.code == 1
    assert "it has no course.yaml that could get the new name" in said.err
    assert command("trash", "restore", entry).code == 0
    assert plain.assignment.is_dir()


def test_what_else_lies_in_an_entry_stays_there_with_its_file(plain: Plain, command: Command) -> None:
    (plain.deletion / "a note").touch()
    assert command("trash", "restore", OF_OLD).code == 0
    assert sorted(os.listdir(plain.deletion)) == ["a note", "trash.yaml"]


def test_of_two_who_restore_one_entry_one_hears_that_it_is_gone(plain: Plain) -> None:
    volume = Volume.open(plain.root)
    (entry,) = list(entries_in(volume))
    planned = restoring.plan(volume, entry)
    restoring.restore(volume, planned)
    with pytest.raises(restoring.CannotRestore, match="is not in the trash any more"):
        restoring.restore(volume, planned)
    volume.close()
    assert codes(plain.root) == []


def test_a_restore_and_a_release_of_one_name_at_once_give_one_of_the_two(plain: Plain) -> None:
    delete(plain.root, "assignment")
    volume = Volume.open(plain.root)
    entry = next(entry for entry in entries_in(volume) if entry.deletion and entry.deletion.assignment == ASSIGNMENT)
    planned = restoring.plan(volume, entry)
    with volume.upload() as nothing:
        release.release(volume, COURSE, ASSIGNMENT, INSTRUCTOR, nothing)
    with pytest.raises(restoring.PlaceTaken):
        restoring.restore(volume, planned)
    assert Path(entry.content).is_dir()
    volume.close()


def test_a_full_disk_leaves_a_course_in_the_trash_that_can_be_restored_later(
    plain: Plain, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = delete(plain.root, "course")
    before = contents(plain.root / "trash")

    def full(path: str, content: bytes, *, flush: bool = False) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), path)

    with monkeypatch.context() as patch:
        patch.setattr("ngshare_fs.store.writing.durability.write_file", full)
        # The look whether the volume can be used writes, too.
        patch.setattr("ngshare_fs.store.volume._probe", lambda root: None)
        said = command("trash", "restore", entry, "--as", "other")
    assert said.code == 1
    assert "No space left on device" in said.err
    assert contents(plain.root / "trash") == before
    assert command("trash", "restore", entry, "--as", "other").code == 0
    assert codes(plain.root) == []


def test_who_may_not_write_there_changes_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        plain = Plain(Path(folder, "volume"))
        before = everything(plain.root)
        command = Command(plain.root, capsys)
        b"".decode("ascii")  # loaded by now: somebody else may not read this Python
        with somebody_else_in(plain.root):
            for words in (
                ("trash", "restore", OF_OLD),
                ("trash", "empty", "--older-than", "1d", "--yes"),
                ("prune", "--keep", "1", "--yes"),
            ):
                said = command(*words)
                assert said.code == 2
                assert "cannot use" in said.err
            assert command("trash", "list").code == 0
        assert everything(plain.root) == before


def test_a_lock_that_somebody_holds_is_said(plain: Plain, command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ngshare_fs.store.volume.Locks", partial(Locks, timeout=0.02))
    volume = Volume.open(plain.root)
    with volume.locks.hold("publish", f"/courses/{COURSE}/assignments"):
        said = command("trash", "restore", OF_OLD)
    volume.close()
    assert said == Ended(1, "", "ngshare-fs: somebody else held a lock of the volume for too long: run this again\n")
    assert OF_OLD in os.listdir(plain.root / "trash")
