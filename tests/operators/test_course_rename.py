"""`ngshare-fs course rename`: one step for those who use the course, and nothing lost at any moment."""

from pathlib import Path

import pytest

from ngshare_fs.store import Volume, assignment, course, journal, roster, submission
from ngshare_fs.store.errors import AssignmentNotFound, CourseNotFound, Interrupted, StoreError
from ngshare_fs.store.format.course_file import Person
from ngshare_fs.store.renaming import course_renaming
from tests.durability.states import left_by_the_server, state_of
from tests.operators.killed import killed_at_each_step, quick_path
from tests.operators.running import Command, run
from tests.stores import beside_the_next_flush, hand_in, volume
from tests.verifying import codes, everything
from tests.volumes import COURSE, HOSTILE_NAMES, Plain, folder_of, write_course

__all__ = ["quick_path", "run", "volume"]

LONG = "n" * 300
LONGER = "n" * 299 + "m"


def lines_of(data: Path, name: str) -> str:
    return "".join(file.read_text() for file in sorted((data / "journal" / "courses" / name).glob("*.jsonl")))


def test_a_course_is_renamed_with_its_journal(run: Command) -> None:
    plain = Plain(run.data)
    opened = Volume.open(run.data)
    journal.record(opened, journal.Event("submit", "lawrence", "api", COURSE, detail="before"))
    opened.close()
    manifest = plain.release.joinpath("manifest.yaml").read_bytes()
    assert run.done("course", "rename", COURSE, "NBG 101").out == "math is NBG 101 from now on\n"
    assert codes(run.data) == []
    moved = run.data / "courses" / "NBG 101"
    assert (moved / "course.yaml").read_text().startswith("course: NBG 101\n")
    assert (moved / plain.release.relative_to(plain.course) / "manifest.yaml").read_bytes() == manifest
    assert not plain.course.exists()
    assert not (run.data / "journal" / "courses" / COURSE).exists()
    assert '"before"' in lines_of(run.data, "NBG 101")
    assert '"from math"' in lines_of(run.data, "NBG 101")


def test_names_of_every_sort_one_after_the_other(run: Command) -> None:
    Plain(run.data)
    name = COURSE
    for new in (*HOSTILE_NAMES[:8:2], LONG, LONGER, "-rf", "files", COURSE):
        document = run.done("course", "rename", "--json", "--", name, new).document
        assert document == {"dry_run": False, "old": name, "new": new}
        name = new
    assert codes(run.data) == []


def test_a_dry_run_says_what_would_be_done_and_does_nothing(run: Command) -> None:
    Plain(run.data)
    before = everything(run.data)
    assert run.done("course", "rename", COURSE, "x", "--dry-run").out == "would rename math to x\n"
    assert "no course 'nowhere'" in run.refused("course", "rename", "nowhere", "x", "--dry-run", code=2)
    assert everything(run.data) == before


@pytest.mark.parametrize(
    ("old", "new", "code", "said"),
    [
        ("nowhere", "x", 2, "there is no course 'nowhere'"),
        (COURSE, "taken", 1, "there is a course 'taken' already"),
        (COURSE, "file", 1, "there is a course 'file' already, or something else in its place"),
        (COURSE, COURSE, 2, "math is its name already"),
        (COURSE, "", 2, "a name cannot be empty"),
        ("broken", "x", 1, "course.yaml, line 2: not YAML"),
        ("broken", LONG, 1, "mend the file"),
        ("nowhere", "taken", 2, "there is no course 'nowhere'"),
    ],
)
def test_what_cannot_be_renamed_stays(old: str, new: str, code: int, said: str, run: Command) -> None:
    plain = Plain(run.data)
    write_course(plain.root, "taken")
    (write_course(plain.root, "broken") / "course.yaml").write_text("course: [\n")
    (plain.root / "courses" / "file").touch()
    before = state_of(run.data)
    assert said in run.refused("course", "rename", old, new, code=code)
    assert state_of(run.data) == before


def test_the_journals_of_an_earlier_course_and_of_this_one_stay(volume: Volume) -> None:
    journal.record(volume, journal.Event("submit", "a", "api", "c", detail="of this one"))
    journal.record(volume, journal.Event("submit", "a", "api", "new", detail="of an earlier one"))
    course_renaming.rename(volume, "c", "new")
    found = lines_of(Path(volume.root), "new")
    assert "of this one" in found
    assert "of an earlier one" in found
    assert not Path(volume.root, "journal/courses/c").exists()


@pytest.mark.parametrize(
    ("old", "new", "is_full"),
    [
        ("c", "x", False),
        ("c", "x", True),
        (LONG, LONGER, False),
        pytest.param("c", LONG, False, marks=pytest.mark.long),
        pytest.param("c", LONG, True, marks=pytest.mark.long),
        pytest.param(LONG, "x", False, marks=pytest.mark.long),
    ],
)
def test_killed_at_any_step_it_is_finished_by_the_same_command(
    old: str, new: str, is_full: bool, quick_path: Path
) -> None:
    def rename(volume: Volume) -> None:
        course_renaming.rename(volume, old, new)

    template, data = quick_path / "template", quick_path / "data"
    volume = Volume.open(template)
    course.create(volume, old, ["kevin"])
    journal.record(volume, journal.Event("create-course", "root", "api", old))
    volume.close()
    steps = 0
    for step in killed_at_each_step(template, data, rename, is_full):
        steps = step
        assert set(codes(data)) <= {"course-differs"}
        volume = Volume.open(data)
        assert course.exists(volume, old) != course.exists(volume, new)
        if old != LONG:  # else only the file has the name, which is the new one already, and the folder the old one
            assert course.all_courses(volume) in ([old], [new])
        if course.exists(volume, old) or roster.of(volume, new).course == old:
            rename(volume)
        assert course.all_courses(volume) == [new]
        assert roster.of(volume, new).course == new
        volume.close()
        assert codes(data) == []
        assert left_by_the_server(data) == []
        assert lines_of(data, folder_of(new)).count("create-course") == 1
    assert steps > 8


def test_a_submission_under_way_lands_in_it_or_is_refused(volume: Volume) -> None:
    # Renamed while it is staged: it is refused.
    with beside_the_next_flush(volume, lambda: renamed(volume, "c", "d")), pytest.raises(AssignmentNotFound):
        hand_in(volume, "lawrence")
    assert submission.submissions_to(volume, "d", "a") == []
    renamed(volume, "d", "c")
    # Renamed when it is in its place: it is in the course, and nobody is told that it is stored for good.
    flushed = iter(range(10))

    def at_the_end() -> None:
        if next(flushed) == 1:
            renamed(volume, "c", "d")

    with beside_the_next_flush(volume, at_the_end, times=2), pytest.raises((Interrupted, AssignmentNotFound)):
        hand_in(volume, "lawrence")
    assert not course.exists(volume, "c")
    assert codes(Path(volume.root)) == []


def renamed(volume: Volume, old: str, new: str) -> None:
    other = Volume.open(Path(volume.root))
    try:
        course_renaming.rename(other, old, new)
    finally:
        other.close()


def test_a_change_of_the_roster_under_way_does_not_bring_the_old_one_back(volume: Volume) -> None:
    other = Volume.open(Path(volume.root))
    try:
        done: list[StoreError] = []

        def change() -> None:
            try:
                roster.set_student(other, "c", "ada", Person())
            except CourseNotFound as error:
                done.append(error)

        course_renaming.rename(volume, "c", "d")
        change()
        assert done
        assert course.all_courses(volume) == ["d"]
        assert assignment.assignments_of(volume, "d") == ["a"]
    finally:
        other.close()
