"""The dates of an assignment go along with it, and the operator's commands know who is named there."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from ngshare_fs.formats.civil_time import moment_in
from ngshare_fs.store import Volume, dates, extensions, roster
from ngshare_fs.store.format.assignment_file import Extension
from ngshare_fs.store.renaming import user_renaming
from ngshare_fs.store.renaming.forgetting import Search
from ngshare_fs.transfer.archive.listing import ChangedMeanwhile, Listing
from ngshare_fs.transfer.archive.writing import describe, write_archive
from tests.operators.killed import killed_at_each_step, quick_path
from tests.operators.running import Command, run
from tests.operators.test_archive import contents, unpacked
from tests.stores import volume
from tests.verifying import codes
from tests.volumes import ASSIGNMENT, COURSE, INSTRUCTOR, STUDENT, Plain

__all__ = ["quick_path", "run", "volume"]

DATES = f"""\
release: 2026-11-02 08:00:00 UTC
due: 2026-11-15 23:59:59 Europe/Vienna
close: 2099-11-17 23:59:59 Europe/Vienna
grace: 5m
extensions:
  ada:
    due: 2026-11-16 23:59:59 Europe/Vienna
    by: {INSTRUCTOR}
  {STUDENT}:
    due: 2026-11-18 23:59:59 Europe/Vienna
    reason: ill
    by: {INSTRUCTOR}
    at: 2026-11-14 10:00:00.000000 UTC
    room: '7'
"""


@pytest.fixture
def plain(run: Command) -> Plain:
    made = Plain(run.data)
    write_dates(made)
    return made


def write_dates(plain: Plain) -> None:
    for folder in (plain.assignment, plain.deletion / "old"):
        (folder / "assignment.yaml").write_text(DATES)
        os.utime(folder / "assignment.yaml", (1e9, 1e9))
    file = plain.course / "course.yaml"
    file.write_text(file.read_text() + "timezone: Europe/Vienna\nclose_after: 2d\n")
    os.utime(file, (1e9, 1e9))


def test_an_archive_brings_them_back(run: Command, plain: Plain, tmp_path: Path) -> None:
    before = contents(plain.course)
    run.done("archive", COURSE, tmp_path / "a.tar.zst", "--remove", "--yes")
    assert contents(unpacked(tmp_path / "a.tar.zst", tmp_path / "x") / "courses" / COURSE) == before
    run.done("restore", tmp_path / "a.tar.zst")
    assert contents(plain.course) == before
    run.done("restore", tmp_path / "a.tar.zst", "--as", "other")
    file = run.data / "courses/other/assignments" / ASSIGNMENT / "assignment.yaml"
    assert file.read_text() == DATES
    assert codes(run.data) == []


def test_dates_that_change_while_they_are_archived_are_whole(volume: Volume, tmp_path: Path) -> None:
    dates.change(volume, "c", "a", {"due": moment_in("2026-11-15 UTC")})
    with Listing(volume, "c") as listing:
        dates.change(volume, "c", "a", {"close": moment_in("2026-11-17 23:59:59 Europe/Vienna")})
        write_archive(volume, listing, describe(listing, "c", "root"), str(tmp_path / "a.tar.zst"), lambda _: None)
        with pytest.raises(ChangedMeanwhile, match=r"courses/c/assignments/a/assignment\.yaml"):
            listing.check_unchanged(f"{volume.root}/courses/c")
    found = contents(unpacked(tmp_path / "a.tar.zst", tmp_path / "x"))
    assert found["courses/c/assignments/a/assignment.yaml"] == b"due: 2026-11-15 23:59:59 UTC\n"


def test_dates_that_appear_while_a_course_is_archived_keep_it(volume: Volume) -> None:
    with Listing(volume, "c") as listing:
        dates.change(volume, "c", "a", {"due": moment_in("2026-11-15 UTC")})
        with pytest.raises(ChangedMeanwhile, match=r"assignment\.yaml"):
            listing.check_unchanged(f"{volume.root}/courses/c")


def test_what_was_deleted_comes_back_with_them(run: Command, plain: Plain) -> None:
    run.done("trash", "restore", plain.deletion.name)
    assert (plain.course / "assignments/old/assignment.yaml").read_text() == DATES
    run.done("course", "rename", COURSE, "algebra")
    assert (run.data / "courses/algebra/assignments/old/assignment.yaml").read_text() == DATES
    assert codes(run.data) == []


def test_a_renamed_student_keeps_the_extension(run: Command, plain: Plain) -> None:
    foreseen = run.done("user", "rename", STUDENT, "zoë", "--dry-run", "--json").document
    assert foreseen["courses"][0]["extensions"] == [ASSIGNMENT]
    assert (plain.assignment / "assignment.yaml").read_text() == DATES
    run.done("user", "rename", STUDENT, "zoë")
    assert (plain.assignment / "assignment.yaml").read_text() == DATES.replace(STUDENT, "zoë")
    run.done("user", "rename", INSTRUCTOR, "kev")
    assert (plain.assignment / "assignment.yaml").read_text() == DATES.replace(STUDENT, "zoë").replace(
        INSTRUCTOR, "kev"
    )
    assert (plain.deletion / "old/assignment.yaml").read_text() == DATES, "the trash stays as it is"
    assert codes(run.data) == []
    file = plain.assignment / "assignment.yaml"
    file.write_text("due: soon\n")
    assert "assignment.yaml, line 1: 'soon'" in run.refused("user", "rename", "kev", INSTRUCTOR)
    assert list(Volume.read_only(run.data).rosters.read(str(plain.course / "course.yaml")).value.instructors) == ["kev"]


def test_one_who_has_nothing_but_an_extension_can_be_renamed(run: Command, plain: Plain) -> None:
    run.done("user", "rename", "ada", "eve")
    assert (plain.assignment / "assignment.yaml").read_text() == DATES.replace("ada", "eve")


def test_of_two_extensions_the_later_dates_count(volume: Volume) -> None:
    dates.change(volume, "c", "a", {"due": moment_in("2026-11-10 UTC"), "close": moment_in("2026-11-10 UTC")})
    old = Extension(moment_in("2026-11-12 UTC"), moment_in("2026-11-13 UTC"), "ill", "kevin", "t", {"room": "7"})
    new = Extension(moment_in("2026-11-11 UTC"), moment_in("2026-11-14 UTC"), None, "eve")
    for name, given in (("old", old), ("other", new), ("new", new)):
        extensions.extend(volume, "c", "a", name, given)
    user_renaming.rename(volume, user_renaming.plan(volume, "old", "new"), "old", "new")
    found = dates.written(volume, "c", "a").extensions
    assert list(found) == ["other", "new"]
    assert found["new"] == Extension(old.due, new.close, "ill", "eve", "t", {"room": "7"})


def test_a_forgotten_student_has_no_extension_and_gave_none(run: Command, plain: Plain) -> None:
    document = run.done("user", "forget", STUDENT, "--yes", "--json").document
    extensions = [(each["course"], each["assignment"]) for each in document["removed"] if each["what"] == "extension"]
    assert extensions == [(COURSE, ASSIGNMENT), (COURSE, "old")]
    assert not [path for path in run.data.rglob("*.yaml") if STUDENT in path.read_text()]
    assert "ada:" in (plain.assignment / "assignment.yaml").read_text()
    said = run.done("user", "forget", INSTRUCTOR, "--yes").out
    assert "removed 2 × the name on what belongs to others in math ps1\n" in said, "a release, and an extension"
    assert "by: (forgotten)" in (plain.assignment / "assignment.yaml").read_text()
    assert "removed 1 × an extension in math ps1\n" in run.done("user", "forget", "ada", "--yes").out
    assert codes(run.data) == []
    (plain.assignment / "assignment.yaml").write_text("due: soon\n")
    ended = run("user", "forget", "ada", "--yes")
    assert (ended.code, "ps1/assignment.yaml cannot be understood" in ended.err) == (1, True)


def renamed(volume: Volume) -> None:
    user_renaming.rename(volume, user_renaming.plan(volume, STUDENT, "zoë"), STUDENT, "zoë")


def forgotten(volume: Volume) -> None:
    for removal in Search(volume, STUDENT, []).removals():
        removal.act()


@pytest.mark.parametrize("act", [renamed, forgotten])
def test_killed_at_any_step_the_same_finishes_it(act: Callable[[Volume], None], quick_path: Path) -> None:
    write_dates(Plain(quick_path / "template"))
    steps = 0
    for _ in killed_at_each_step(quick_path / "template", quick_path / "data", act):
        steps += 1
        volume = Volume.open(quick_path / "data")
        act(volume)
        found = dates.written(volume, COURSE, ASSIGNMENT)
        assert list(found.extensions) == (["ada", "zoë"] if act is renamed else ["ada"])
        assert STUDENT not in roster.of(volume, COURSE).students
        volume.close()
        assert codes(quick_path / "data") == []
    assert steps > 2


def test_inspect_shows_them(run: Command, plain: Plain) -> None:
    course = run.done("inspect", COURSE).out
    columns = next(line for line in course.splitlines() if line.startswith("assignment")).split()
    assert columns[-4:] == ["release", "due", "close", "extensions"]
    assert "2026-11-15 23:59:59 Europe/Vienna" in course
    below = run.done("inspect", COURSE, ASSIGNMENT).out
    assert below.startswith(
        "Dates: release 2026-11-02 08:00:00 UTC, due 2026-11-15 23:59:59 Europe/Vienna, "
        "close 2099-11-17 23:59:59 Europe/Vienna, grace 5m (late)\n"
        "Extension of ada: due 2026-11-16 23:59:59 Europe/Vienna\n"
        f"Extension of {STUDENT}: due 2026-11-18 23:59:59 Europe/Vienna (ill)\n"
    )
    ((assignment,),) = [each["assignments"] for each in run.done("inspect", COURSE, "--json").document["courses"]]
    assert assignment["dates"] == {
        "release": "2026-11-02 08:00:00.000000 UTC",
        "due": "2026-11-15 22:59:59.000000 UTC",
        "close": "2099-11-17 22:59:59.000000 UTC",
        "grace_seconds": 300,
        "timezone": "Europe/Vienna",
        "state": "late",
        "extensions": [
            {"student": "ada", "due": "2026-11-16 22:59:59.000000 UTC", "close": None, "reason": None},
            {"student": STUDENT, "due": "2026-11-18 22:59:59.000000 UTC", "close": None, "reason": "ill"},
        ],
    }
    (plain.assignment / "assignment.yaml").write_text("due: 2098-11-15 UTC\n")
    assert "close 2098-11-18 00:59:59 Europe/Vienna (open)\n" in run.done("inspect", COURSE, ASSIGNMENT).out, (
        "by `close_after` of the course"
    )
    (plain.assignment / "assignment.yaml").unlink()
    assert "release " not in run.done("inspect", COURSE).out.replace("releases ", "")
    ((assignment,),) = [each["assignments"] for each in run.done("inspect", COURSE, "--json").document["courses"]]
    assert assignment["dates"] is None


def test_inspect_goes_on_where_they_cannot_be_understood(run: Command, plain: Plain) -> None:
    (plain.assignment / "assignment.yaml").write_text("due: soon\n")
    for words in ((COURSE,), (COURSE, ASSIGNMENT), (COURSE, "--json")):
        ended = run("inspect", *words)
        assert ended.code == 1
        assert f"unreadable: courses/{COURSE}/assignments/{ASSIGNMENT}/assignment.yaml, line 1" in ended.err
    assert "Dates: its file cannot be understood\n" in run("inspect", COURSE, ASSIGNMENT).out


def test_repair_leaves_dates_and_sets_a_folder_in_their_place_aside(run: Command, plain: Plain) -> None:
    file = plain.assignment / "assignment.yaml"
    file.write_text("due: soon\n")
    ended = run("repair", "--yes")
    assert ended.code == 1
    assert "left as it is: what was meant its writer knows" in ended.out
    assert file.read_text() == "due: soon\n"
    file.unlink()
    file.mkdir()
    run.done("repair", "--yes")
    assert not file.exists()
    file.symlink_to("/etc/passwd")
    assert run("repair", "--yes").code == 1
    assert file.is_symlink(), "it may lead to the right one"
