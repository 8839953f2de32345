"""`ngshare-fs trash`: what was deleted is listed, brought back whole, and removed for good when it is old."""

import json
import os
import shutil
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from ngshare_fs.store import Volume, assignment, course, release, roster, submission
from ngshare_fs.store.format import timestamp
from ngshare_fs.store.upkeep import emptying, restoring
from ngshare_fs.store.upkeep.trash_entries import entries_in
from ngshare_fs.store.writing.locks import lock_on
from tests.operator.run_command import Command
from tests.verifying import codes, everything
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

LONG = "x" * 300
OF_OLD = "20200301T080000.000000Z-0123abcd"


@pytest.fixture
def plain(tmp_path: Path) -> Plain:
    return Plain(tmp_path / "volume")


@pytest.fixture
def command(plain: Plain, capsys: pytest.CaptureFixture[str]) -> Command:
    return Command(plain.root, capsys)


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def delete(root: Path, what: str, name: str = ASSIGNMENT) -> str:
    """Delete something as servers do; gives the entry's name."""
    volume = Volume.open(root)
    before = set(os.listdir(root / "trash"))
    if what == "course":
        course.delete(volume, COURSE, "root")
    elif what == "assignment":
        assignment.delete(volume, COURSE, name, "kevin")
    else:
        submission.delete(volume, COURSE, name, STUDENT, timestamp.Timestamp(SUBMITTED), "kevin")
    volume.close()
    (entry,) = set(os.listdir(root / "trash")) - before
    return entry


def journal(root: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for file in sorted(root.rglob("*.jsonl")) for line in file.read_text().splitlines()]


def test_the_list_says_what_by_whom_when_and_until_when(plain: Plain, command: Command) -> None:
    entry = delete(plain.root, "submission")
    write_deletion(
        plain.root, {"kind": "course", "course": "cut short", "by": "root", "timestamp": DELETED}, "00000001"
    )
    before = everything(plain.root)
    said = command("trash", "list", "--trash-days", "30", "--json")
    assert said.code == 0
    by_name = {each["entry"]: each for each in said.document}
    assert by_name[OF_OLD] == {
        "entry": OF_OLD,
        "kind": "assignment",
        "course": COURSE,
        "assignment": "old",
        "student": None,
        "submission": None,
        "by": INSTRUCTOR,
        "deleted": DELETED,
        "bytes": sum(map(len, RELEASED_FILES.values())),
        "removed_after": "2020-03-31 08:00:00.000000 UTC",
        "problem": None,
    }
    assert by_name[entry]["student"] == STUDENT
    assert by_name[entry]["submission"] == SUBMITTED
    assert by_name["20200301T080000.000000Z-00000001"]["kind"] == "empty"
    assert [each["entry"] for each in said.document] == sorted(by_name)
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
    volume = Volume.open(command.root)
    before = contents(command.root / "courses")
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
    found = contents(command.root / "courses")
    cut = folder_of(LONG)  # was in the trash before, and is restored as well
    assert {path: content for path, content in found.items() if not path.startswith(f"{cut}/")} == before
    assert codes(command.root) == []


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


def test_what_is_old_is_removed_for_good(plain: Plain, command: Command) -> None:
    young = delete(plain.root, "submission")
    before = everything(plain.root)
    said = command("trash", "empty", "--older-than", "90d", "--dry-run")
    assert (said.code, said.out.splitlines()[-1]) == (0, "Would remove 1 entry, 7 B.")
    assert everything(plain.root) == before
    asked = command("trash", "empty", "--older-than", "90d")
    assert asked.code == 1
    assert "say --yes" in asked.err
    assert plain.deletion.is_dir()
    assert command("trash", "empty", "--older-than", "90d", "--yes").out == "Removed 1 entry.\n"
    assert os.listdir(plain.root / "trash") == [young]
    assert os.listdir(plain.root / ".ngshare/staging") == []
    assert journal(plain.root)[-1] | {"time": ""} == {
        "time": "",
        "what": "empty trash",
        "by": journal(plain.root)[-1]["by"],
        "via": "command",
        "course": COURSE,
        "assignment": "old",
        "detail": f"assignment {OF_OLD}",
    }
    assert codes(plain.root) == []
    assert "as old as that" in command("trash", "empty", "--older-than", "1h", "--yes").out


def test_only_what_was_deleted_of_one_course_is_removed(plain: Plain, command: Command) -> None:
    assert "as old" in command("trash", "empty", "physics", "--older-than", "0d", "--yes").out
    assert plain.deletion.is_dir()
    command("trash", "empty", COURSE, "--older-than", "0d", "--yes")
    assert not plain.deletion.exists()


@pytest.mark.parametrize("age", ["90", "d", "-1d", "1.5d", "99999d", "90 days"])
def test_an_age_is_days_or_hours(age: str, command: Command, plain: Plain) -> None:
    assert command("trash", "empty", f"--older-than={age}", "--yes").code == 2
    assert plain.deletion.is_dir()


def test_an_empty_entry_goes_when_nobody_can_be_about_to_fill_it(plain: Plain, command: Command) -> None:
    said = {"kind": "course", "course": "c", "by": "root", "timestamp": timestamp.ago(timedelta(minutes=50))}
    young = write_deletion(plain.root, said, "00000001")
    old = write_deletion(plain.root, said | {"timestamp": timestamp.ago(timedelta(minutes=70))}, "00000002")
    bare = plain.root / "trash" / "20200301T080000.000000Z-00000003"
    bare.mkdir()
    command("trash", "empty", "--older-than", "0d", "--yes")
    assert young.is_dir()
    assert not old.exists()
    assert not bare.exists()


def test_an_empty_entry_that_is_filled_at_the_last_moment_stays_whole(
    plain: Plain, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = {"kind": "assignment", "course": COURSE, "assignment": ASSIGNMENT, "by": "root", "timestamp": DELETED}
    entry = write_deletion(plain.root, said, "00000001")
    unlink = os.unlink

    def unlink_late(path: str) -> None:
        unlink(path)
        if entry.is_dir() and plain.assignment.is_dir():
            plain.assignment.rename(entry / ASSIGNMENT)

    volume = Volume.open(plain.root)
    shutil.rmtree(plain.deletion)
    monkeypatch.setattr(os, "unlink", unlink_late)
    gone: list[object] = []
    assert emptying.empty(volume, timedelta(0), gone.append)
    monkeypatch.undo()
    volume.close()
    assert gone == []
    assert (entry / ASSIGNMENT / "releases").is_dir()
    assert codes(plain.root) == []


def test_two_do_not_empty_it_at_once(plain: Plain, command: Command) -> None:
    Volume.open(plain.root).close()
    with lock_on(str(plain.root / ".ngshare/locks/emptying.lock")):
        said = command("trash", "empty", "--older-than", "90d", "--yes")
    assert said.code == 1
    assert "another process" in said.err
    assert plain.deletion.is_dir()


def test_what_cannot_be_removed_is_said_and_does_not_keep_the_rest(
    plain: Plain, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = {"kind": "assignment", "course": COURSE, "assignment": "stuck", "by": "root", "timestamp": RELEASED}
    entry = write_deletion(plain.root, said, "00000001")
    shutil.copytree(plain.assignment, entry / "stuck")
    (entry / "stuck/releases/will not go").touch()
    unlink = os.unlink

    def refuse(path: str) -> None:
        if str(path).endswith("will not go"):
            raise OSError(5, "Input/output error", path)
        unlink(path)

    monkeypatch.setattr(os, "unlink", refuse)
    said_by = command("trash", "empty", "--older-than", "90d", "--yes")
    monkeypatch.undo()
    assert said_by.code == 1
    assert "Input/output error" in said_by.err
    assert os.listdir(plain.root / "trash") == []
    assert command("trash", "empty", "--older-than", "90d", "--yes").code == 0
    volume = Volume.open(plain.root)
    assert emptying.empty(volume, timedelta(days=90), lambda entry: None)
    volume.close()
    assert os.listdir(plain.root / ".ngshare/staging") == []


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
