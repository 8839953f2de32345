"""`ngshare-fs user rename`: a person's work goes along, and nobody's is mixed with another's."""

from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from ngshare_fs.formats.yaml_text import parse
from ngshare_fs.store import Volume, feedback, release, roster, submission
from ngshare_fs.store.errors import AssignmentNotFound, SubmissionNotFound
from ngshare_fs.store.format import manifest, timestamp
from ngshare_fs.store.format.course_file import Person, Roster
from ngshare_fs.store.reading.tree import Manifests, manifest_at
from ngshare_fs.store.renaming import user_renaming
from ngshare_fs.store.renaming.user_renaming import NameInUse
from tests.durability.states import left_by_the_server, state_of
from tests.operators.killed import killed_at_each_step, quick_path
from tests.operators.running import Command, run
from tests.stores import beside_the_next_flush, hand_in, upload, volume
from tests.verifying import codes, everything
from tests.volumes import (
    ASSIGNMENT,
    COURSE,
    HOSTILE_NAMES,
    INSTRUCTOR,
    RELEASED,
    RELEASED_FILES,
    STUDENT,
    SUBMITTED,
    SUBMITTED_FILES,
    Plain,
    folder_of,
    write_course,
    write_release,
    write_submission,
)

__all__ = ["quick_path", "run", "volume"]

LONG = "n" * 300


def said_in(tree: Path) -> manifest.Manifest:
    file = tree / "manifest.yaml"
    return parse(file.read_bytes(), str(file), manifest.understand)


def people(data: Path, course: str = COURSE) -> Roster:
    volume = Volume.open(data)
    try:
        return roster.present(volume, course)
    finally:
        volume.close()


def test_all_work_goes_along(run: Command) -> None:
    plain = Plain(run.data)
    write_course(plain.root, "physics", [STUDENT])
    files = {path.name: path.stat().st_ino for path in plain.submission.rglob("files/*")}
    said = run.done("user", "rename", STUDENT, "zoë").out
    assert said == "renamed lawrence to zoë in math, with work in 1 assignment\nrenamed lawrence to zoë in physics\n"
    assert codes(run.data) == []
    tree = plain.submission.parent.with_name("zoë") / plain.submission.name
    assert (said_in(tree).student, said_in(tree).by) == ("zoë", "zoë")
    given = tree / plain.feedback.relative_to(plain.submission)
    assert (said_in(given).student, said_in(given).by) == ("zoë", INSTRUCTOR)
    assert {path.name: path.stat().st_ino for path in tree.rglob("files/*")} == files
    assert list(people(run.data).students) == ["zoë"]
    assert people(run.data).students["zoë"].email == STUDENT
    assert list(people(run.data, "physics").instructors) == ["zoë"]
    assert not plain.submission.parent.exists()


def test_names_of_every_sort_one_after_the_other(run: Command) -> None:
    plain = Plain(run.data)
    name = STUDENT
    for new in (*HOSTILE_NAMES[:8:2], LONG, LONG[:-1] + "m", "-rf", "files", "no", "007"):
        document = run.done("user", "rename", "--json", "--", name, new).document
        courses = [{"course": COURSE, "roles": ["students"], "assignments": {ASSIGNMENT: 2}, "extensions": []}]
        assert document == {"dry_run": False, "old": name, "new": new, "courses": courses}
        name = new
        assert codes(run.data) == []
    volume = Volume.open(run.data)
    assert [each.student for each in submission.submissions_to(volume, COURSE, ASSIGNMENT)] == ["007"]
    volume.close()
    assert plain.assignment.is_dir()


def test_what_others_did_keeps_the_name(volume: Volume) -> None:
    moment = hand_in(volume, "lawrence")
    with upload(volume, f=b"1") as work:
        submission.submit(volume, "c", "a", "ada", work, by="kevin")
    with upload(volume, f=b"1") as work:
        feedback.give(volume, "c", "a", "lawrence", moment, "kevin", work)
    user_renaming.rename(volume, user_renaming.plan(volume, "kevin", "kev"), "kevin", "kev")
    assert list(roster.of(volume, "c").instructors) == ["kev"]
    released = release.newest(volume, "c", "a")
    assert released is not None
    with released:
        assert released.manifest.by == "kevin"
    with submission.collect(volume, "c", "a", "ada", None) as tree:
        assert tree.manifest.by == "kevin"
    assert codes(Path(volume.root)) == []


def test_only_in_one_course(run: Command) -> None:
    plain = Plain(run.data)
    write_course(plain.root, "physics", [], [STUDENT])
    run.done("user", "rename", STUDENT, "zoë", "--course", "physics")
    assert list(people(run.data).students) == [STUDENT]
    assert list(people(run.data, "physics").students) == ["zoë"]
    assert plain.submission.is_dir()


def test_both_names_on_the_roster_become_one(volume: Volume) -> None:
    roster.set_student(volume, "c", "old", Person("A", "B", "a@b", {"more": "x"}))
    roster.set_student(volume, "c", "other", Person())
    roster.set_student(volume, "c", "new", Person("N", None, ""))
    hand_in(volume, "old")
    user_renaming.rename(volume, user_renaming.plan(volume, "old", "new"), "old", "new")
    students = roster.of(volume, "c").students
    assert list(students) == ["other", "new"]
    assert students["new"] == Person("N", "B", "a@b", {"more": "x"})
    # Whoever teaches the course is no student of it.
    user_renaming.rename(volume, user_renaming.plan(volume, "kevin", "new"), "kevin", "new")
    assert list(roster.of(volume, "c").instructors) == ["new"]
    assert list(roster.of(volume, "c").students) == ["other"]


def test_a_dry_run_says_what_would_be_done_and_does_nothing(run: Command) -> None:
    Plain(run.data)
    before = everything(run.data)
    said = run.done("user", "rename", STUDENT, "zoë", "--dry-run").out
    assert said == "would rename lawrence to zoë in math, with work in 1 assignment\n"
    assert everything(run.data) == before


def test_where_both_have_handed_in_nothing_is_changed(run: Command) -> None:
    plain = Plain(run.data)
    # In the last of the courses that are looked at.
    other = write_course(plain.root, "zoology", [], [STUDENT])
    write_release(other, ("zoology", "z"), INSTRUCTOR, RELEASED, RELEASED_FILES)
    for name in (STUDENT, "zoë"):
        write_submission(other, ("zoology", "z"), name, SUBMITTED, SUBMITTED_FILES)
    before = state_of(run.data)
    said = run.refused("user", "rename", STUDENT, "zoë")
    assert said.startswith("zoë has handed in z in zoology, too: nobody could tell whose work it would be.")
    assert state_of(run.data) == before


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["nobody", "x"], 1, "nobody is called nobody here"),
        ([STUDENT, STUDENT], 2, "lawrence is the name already"),
        ([STUDENT, ""], 2, "a name cannot be empty"),
        ([STUDENT, "x", "--course", "nowhere"], 2, "there is no course 'nowhere'"),
        ([STUDENT, "x", "--course", ""], 2, "a name cannot be empty"),
    ],
)
def test_wrong_words(words: list[str], code: int, said: str, run: Command) -> None:
    Plain(run.data)
    before = state_of(run.data)
    assert said in run.refused("user", "rename", *words, code=code)
    assert state_of(run.data) == before


@pytest.mark.parametrize("broken", ["course.yaml", "manifest.yaml"])
def test_a_file_that_cannot_be_understood_keeps_all_as_it_is(broken: str, run: Command) -> None:
    plain = Plain(run.data)
    (plain.course if broken == "course.yaml" else plain.feedback).joinpath(broken).write_text("kind: [\n")
    before = state_of(run.data)
    assert f"{broken}, line 2: not YAML" in run.refused("user", "rename", STUDENT, "zoë")
    assert state_of(run.data) == before


@pytest.mark.parametrize(
    ("new", "is_full"),
    [
        ("zoë", False),
        pytest.param("zoë", True, marks=pytest.mark.long),
        pytest.param(LONG, False, marks=pytest.mark.long),
    ],
)
def test_killed_at_any_step_it_is_finished_by_the_same_command(new: str, is_full: bool, quick_path: Path) -> None:
    def rename(volume: Volume) -> None:
        user_renaming.rename(volume, user_renaming.plan(volume, STUDENT, new), STUDENT, new)

    template, data = quick_path / "template", quick_path / "data"
    plain = Plain(template)
    write_submission(plain.course, (COURSE, ASSIGNMENT), STUDENT, "2020-02-01 00:00:00.000000 UTC", SUBMITTED_FILES)
    submissions = plain.submission.parent.parent.relative_to(template)
    steps = 0
    for step in killed_at_each_step(template, data, rename, is_full):
        steps = step
        assert set(codes(data)) <= {"student-differs"}
        assert len([path.name for path in (data / submissions).iterdir()]) == 1
        volume = Volume.open(data)
        assert len(submission.submissions_to(volume, COURSE, ASSIGNMENT)) == 2
        rename(volume)
        found = submission.submissions_to(volume, COURSE, ASSIGNMENT)
        assert [each.student for each in found] == [new, new]
        assert list(roster.of(volume, COURSE).students) == [new]
        volume.close()
        assert (data / submissions / folder_of(new)).is_dir()
        assert codes(data) == []
        assert left_by_the_server(data) == []
    assert steps > 12


def test_what_the_new_name_hands_in_at_this_moment_is_not_mixed_with_it(volume: Volume) -> None:
    hand_in(volume, "old")
    planned = user_renaming.plan(volume, "old", "new")
    hand_in(volume, "new")
    with pytest.raises(NameInUse, match="new has handed in a in c just now, too"):
        user_renaming.rename(volume, planned, "old", "new")
    assert sorted(each.student for each in submission.submissions_to(volume, "c", "a")) == ["new", "old"]
    assert codes(Path(volume.root)) == []


def test_once_that_is_out_of_the_way_the_same_command_goes_on(
    run: Command, volume: Volume, monkeypatch: pytest.MonkeyPatch
) -> None:
    roster.set_student(volume, "c", "old", Person())
    for name in ("a", "b"):
        if name == "b":
            with upload(volume, f=b"b") as work:
                release.release(volume, "c", name, "kevin", work)
        with upload(volume, f=b"1") as work:
            submission.submit(volume, "c", name, "old", work)
    change = roster.change
    handed_in: list[timestamp.Timestamp] = []

    def hand_in_behind_it(*words: Any) -> None:
        change(*words)
        handed_in.extend([] if handed_in else [hand_in(volume, "new")])

    monkeypatch.setattr(roster, "change", hand_in_behind_it)
    said = run.refused("user", "rename", "old", "new")
    assert said.startswith("new has handed in a in c just now, too: nobody could tell whose work it would be.")
    assert codes(run.data) == []
    before = state_of(run.data)
    assert run.refused("user", "rename", "old", "new").startswith("new has handed in a in c, too")
    assert run.refused("user", "rename", "old", "new", "--dry-run").startswith("new has handed in a in c, too")
    assert state_of(run.data) == before
    assert sorted(each.student for each in submission.submissions_to(volume, "c", "a")) == ["new", "old"]
    # Nobody teaches or takes it by the old name any more, and all that was handed in is there.
    assert list(roster.of(volume, "c").students) == ["new"]
    submission.delete(volume, "c", "a", "new", handed_in[0], "kevin")
    assert run.done("user", "rename", "old", "new").out == "renamed old to new in c, with work in 2 assignments\n"
    for name in ("a", "b"):
        assert [each.student for each in submission.submissions_to(volume, "c", name)] == ["new"]
    assert codes(run.data) == []
    assert "nobody is called old here" in run.refused("user", "rename", "old", "new")


def test_what_is_under_way_under_the_old_name_goes_along_or_is_refused(volume: Volume) -> None:
    roster.set_student(volume, "c", "old", Person())
    hand_in(volume, "old")

    def still_a_student() -> None:
        if "old" not in roster.of(volume, "c").students:
            raise PermissionError

    def rename() -> None:
        other = Volume.open(Path(volume.root))
        try:
            user_renaming.rename(other, user_renaming.plan(other, "old", "new"), "old", "new")
        finally:
            other.close()

    with (
        beside_the_next_flush(volume, rename),
        upload(volume, f=b"2") as work,
        pytest.raises((PermissionError, AssignmentNotFound)),
    ):
        submission.submit(volume, "c", "a", "old", work, last_check=still_a_student)
    assert [each.student for each in submission.submissions_to(volume, "c", "a")] == ["new"]
    assert codes(Path(volume.root)) == []


def test_what_is_deleted_meanwhile_is_nothing_wrong(volume: Volume, monkeypatch: pytest.MonkeyPatch) -> None:
    roster.set_student(volume, "c", "lawrence", Person())
    moments = [hand_in(volume, "lawrence") for _ in range(3)]

    def after_a_deletion(manifests: Manifests, path: str) -> manifest.Manifest:
        if path.endswith(timestamp.folder_of(moments[1])):
            submission.delete(volume, "c", "a", "lawrence", moments[1], "kevin")
        return manifest_at(manifests, path)

    monkeypatch.setattr("ngshare_fs.store.renaming.user_renaming.manifest_at", after_a_deletion)
    planned = user_renaming.plan(volume, "lawrence", "zoë")
    assert planned[0].assignments == {"a": 2}

    def delete_the_oldest(_: int) -> None:
        with suppress(SubmissionNotFound):
            submission.delete(volume, "c", "a", "zoë", moments[0], "kevin")

    user_renaming.rename(volume, planned, "lawrence", "zoë", delete_the_oldest)
    assert [each.student for each in submission.submissions_to(volume, "c", "a")] == ["zoë"]
    tree = Path(volume.root, "courses/c/assignments/a/submissions/zoë", timestamp.folder_of(moments[2]))
    assert said_in(tree).student == "zoë"
