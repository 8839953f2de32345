"""What is deleted while somebody writes into it stays deleted, and nothing lands in what is made anew in its place."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ngshare_fs.store import Volume, assignment, course, feedback, release, submission
from ngshare_fs.store.checking.verify import verify_volume
from ngshare_fs.store.errors import AssignmentNotFound, CourseNotFound, SubmissionNotFound, VolumeFailure
from ngshare_fs.store.format import layout, timestamp
from ngshare_fs.store.format.timestamp import Timestamp
from ngshare_fs.store.reading.cached_folders import timestamps_in
from ngshare_fs.store.writing import durability
from ngshare_fs.store.writing.upload import Upload
from tests.stores import beside_the_next_flush, hand_in, upload, volume

__all__ = ["volume"]


@pytest.mark.parametrize("made_again", [False, True])
def test_a_course_that_is_deleted_beside_a_list_of_its_assignments_has_none_or_all(
    volume: Volume, made_again: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("b", "d"):
        with upload(volume, f=b"1") as released:
            release.release(volume, "c", name, "kevin", released)

    def delete_first(folder: str) -> list[Timestamp]:
        monkeypatch.undo()
        course.delete(volume, "c", by="root")
        if made_again:
            course.create(volume, "c")
        return timestamps_in(folder)

    monkeypatch.setattr(assignment, "timestamps_in", delete_first)
    if made_again:
        assert assignment.assignments_of(volume, "c") == []
    else:
        with pytest.raises(CourseNotFound):
            assignment.assignments_of(volume, "c")


def test_a_deleted_assignment_takes_no_more_work(volume: Volume) -> None:
    with upload(volume, f=b"1") as late:
        assignment.delete(volume, "c", "a", by="kevin")
        with pytest.raises(AssignmentNotFound):
            submission.submit(volume, "c", "a", "ada", late)
    assert not (Path(volume.root) / "courses/c/assignments/a").exists()


@pytest.mark.parametrize("what", ["submission", "release", "feedback"])
def test_work_for_an_assignment_that_was_deleted_does_not_land_in_a_new_one_of_its_name(
    volume: Volume, what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    moment = hand_in(volume, "ada")
    with upload(volume, f=b"2") as late, replaced_while_staging(volume, monkeypatch, [moment]):
        if what == "submission":
            with pytest.raises(AssignmentNotFound):
                submission.submit(volume, "c", "a", "ada", late)
        elif what == "release":
            with pytest.raises(AssignmentNotFound):
                release.release_again(volume, "c", "a", "kevin", late)
        else:
            with pytest.raises(SubmissionNotFound):
                feedback.give(volume, "c", "a", "ada", moment, "kevin", late)
    assert submission.submissions_by(volume, "c", "a", "ada") == [("ada", moment)]
    assert len(timestamps_in(layout.releases(volume.root, "c", "a"))) == 1
    assert feedback.given_at(volume, "c", "a", "ada", moment) is None
    (own,) = Path(volume.root).glob(".ngshare/staging/*")
    assert os.listdir(own) == []


def test_a_release_for_a_course_that_was_deleted_does_not_land_in_a_new_one_of_its_name(
    volume: Volume, monkeypatch: pytest.MonkeyPatch
) -> None:
    with (
        upload(volume, f=b"2") as late,
        replaced_while_staging(volume, monkeypatch, []),
        pytest.raises(CourseNotFound),
    ):
        release.release(volume, "c", "late", "kevin", late)
    assert assignment.assignments_of(volume, "c") == ["a"]


def test_nor_where_that_happens_while_the_manifest_is_written_anew(
    volume: Volume, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The clock was set back: the timestamp has to be later than that of the work before."""
    hand_in(volume, "ada")
    monkeypatch.setattr(timestamp, "now", lambda: Timestamp("2001-01-01 00:00:00.000000 UTC"))
    write_file = durability.DirtySet.write_file
    written: list[str] = []

    def replace_at_the_second(dirty: durability.DirtySet, path: str, content: bytes) -> None:
        write_file(dirty, path, content)
        written.append(os.path.basename(path))
        if written[-1] == layout.MANIFEST and written.count(layout.MANIFEST) == 2:
            replace_course(volume, [])

    monkeypatch.setattr(durability.DirtySet, "write_file", replace_at_the_second)
    with upload(volume, f=b"2") as late, pytest.raises(AssignmentNotFound):
        submission.submit(volume, "c", "a", "ada", late)
    assert submission.submissions_by(volume, "c", "a", "ada") == []


@contextmanager
def replaced_while_staging(
    volume: Volume, monkeypatch: pytest.MonkeyPatch, submissions: list[Timestamp]
) -> Iterator[None]:
    """Once the next tree is staged, the course is deleted and made again, with the same assignment and submissions."""
    write_tree = Upload.write_tree

    def replace_first(work: Upload, into: str, dirty: durability.DirtySet) -> None:
        monkeypatch.undo()
        write_tree(work, into, dirty)
        replace_course(volume, submissions)

    monkeypatch.setattr(Upload, "write_tree", replace_first)
    yield


def replace_course(volume: Volume, submissions: list[Timestamp]) -> None:
    course.delete(volume, "c", by="root")
    course.create(volume, "c", ["kevin"])
    with upload(volume, f=b"1") as released:
        release.release(volume, "c", "a", "kevin", released)
    for moment in submissions:
        with upload(volume, f=b"1") as work:
            submission.submit(volume, "c", "a", "ada", work, moment)


def test_a_trash_that_somebody_removed_is_made_again(volume: Volume) -> None:
    (Path(volume.root) / "trash").rmdir()
    assignment.delete(volume, "c", "a", by="kevin")
    assert assignment.assignments_of(volume, "c") == []
    assert list(verify_volume(Path(volume.root))) == []
    assert len(list(Path(volume.root).glob("trash/*/a"))) == 1


@pytest.mark.parametrize("times", [1, 2, 100])
def test_what_is_deleted_while_somebody_empties_the_trash_is_gone_or_said_to_be_there(
    volume: Volume, times: int
) -> None:
    def empty() -> None:
        shutil.rmtree(Path(volume.root) / "trash")

    with beside_the_next_flush(volume, empty, times):
        if times < 100:
            assignment.delete(volume, "c", "a", by="kevin")
        else:
            with pytest.raises(VolumeFailure, match="its entry in the trash is removed each time"):
                assignment.delete(volume, "c", "a", by="kevin")
    assert assignment.assignments_of(volume, "c") == ([] if times < 100 else ["a"])


def test_what_is_deleted_may_be_gone_from_the_trash_at_once(volume: Volume) -> None:
    moved: list[Path] = []

    def empty() -> None:
        moved.extend(Path(volume.root).glob("trash/*/a"))
        for path in moved:
            shutil.rmtree(path.parent)

    with beside_the_next_flush(volume, empty, 2):
        assignment.delete(volume, "c", "a", by="kevin")
    assert moved
    assert assignment.assignments_of(volume, "c") == []
