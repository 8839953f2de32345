"""Archiving, restoring and renaming while they are killed, and beside a server that students hand in to."""

import json
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote, urlencode

import pytest

from ngshare_fs.store import Volume, course
from ngshare_fs.transfer.archive.listing import Listing
from ngshare_fs.transfer.archive.reading import opened_archive
from ngshare_fs.transfer.archive.restoring import restore
from tests.durability.states import left_by_the_server, state_of
from tests.operators.archives import RIGHT, members, tar, write
from tests.operators.killed import killed_at_each_step, quick_path
from tests.operators.running import Command, run
from tests.servers import Server, running
from tests.trees import tree
from tests.verifying import codes
from tests.volumes import ASSIGNMENT, COURSE, STUDENT, Plain, folder_of_time
from tests.waiting import until

__all__ = ["quick_path", "run"]

STUDENTS = [f"student {number}" for number in range(4)]


either_way = pytest.mark.parametrize("is_full", [False, pytest.param(True, marks=pytest.mark.long)])


@either_way
def test_a_restore_that_is_killed_leaves_nothing_or_all(is_full: bool, quick_path: Path) -> None:
    template, data = quick_path / "template", quick_path / "data"
    Volume.open(template).close()
    archive = write(quick_path / "a.tar.zst", tar(members(RIGHT)))

    def bring_back(volume: Volume) -> None:
        with opened_archive(str(archive)) as opened:
            restore(volume, opened, COURSE, accepts_damage=False, told=lambda _: None)

    steps = 0
    for step in killed_at_each_step(template, data, bring_back, is_full):
        steps = step
        assert codes(data) == []
        volume = Volume.open(data)
        if not course.exists(volume, COURSE):
            bring_back(volume)
        volume.close()
        assert codes(data) == []
        assert left_by_the_server(data) == []
        for path, content in RIGHT.items():
            assert content is None or (data / path).read_bytes() == content
    assert steps > 12


@either_way
def test_a_removal_that_is_killed_leaves_the_course_in_one_place(is_full: bool, quick_path: Path) -> None:
    template, data = quick_path / "template", quick_path / "data"
    before = state_of(Plain(template).course)

    def remove(volume: Volume) -> None:
        with Listing(volume, COURSE) as listing:
            course.delete_unless(volume, COURSE, "root", listing.check_unchanged)

    for _ in killed_at_each_step(template, data, remove, is_full):
        Volume.open(data).close()
        assert codes(data) == []
        places = [*data.glob(f"courses/{COURSE}"), *data.glob(f"trash/*/{COURSE}")]
        assert len(places) == 1
        assert state_of(places[0]) == before


class Rush:
    """Students who hand in without a pause, until it is over.

    Attributes:
        stored: the timestamps that each student was given.
        refused: the other answers.
    """

    def __init__(self, server: Server, course_name: str) -> None:
        self.course = course_name
        self.stored: dict[str, list[str]] = {student: [] for student in STUDENTS}
        self.refused: list[int] = []
        self.over = threading.Event()
        self._url = server.url
        self._threads = [threading.Thread(target=self._hand_in, args=(student,)) for student in STUDENTS]

    def _hand_in(self, student: str) -> None:
        while not self.over.is_set():
            body = urlencode({"user": student, "files": tree({"p.ipynb": b"{}"})}).encode()
            url = f"{self._url}submission/{quote(self.course, safe='')}/{ASSIGNMENT}"
            try:
                with urllib.request.urlopen(url, body, timeout=60) as answer:
                    self.stored[student].append(json.load(answer)["timestamp"])
            except urllib.error.HTTPError as error:
                with error:
                    self.refused.append(error.code)

    @contextmanager
    def __call__(self) -> Iterator[None]:
        for thread in self._threads:
            thread.start()
        try:
            self.progress()
            yield
        finally:
            self.over.set()
            for thread in self._threads:
                thread.join()

    def progress(self) -> None:
        """Wait until each student has handed in once more."""
        before = {student: len(stored) for student, stored in self.stored.items()}
        until(
            lambda: all(len(self.stored[student]) > count for student, count in before.items()),
            "a submission of each student",
        )

    def missing(self, folders: list[Path]) -> list[str]:
        """What was acknowledged and is in none of these courses."""
        return [
            f"{student} {moment}"
            for student, stored in self.stored.items()
            for moment in stored
            if not any(
                (folder / "assignments" / ASSIGNMENT / "submissions" / student / folder_of_time(moment)).is_dir()
                for folder in folders
            )
        ]


def write_served(data: Path) -> Plain:
    plain = Plain(data)
    names = "".join(f"  {student}:\n" for student in (STUDENT, *STUDENTS))
    (plain.course / "course.yaml").write_text(f"course: {COURSE}\ninstructors:\n  kevin:\nstudents:\n{names}")
    return plain


def test_nothing_that_was_acknowledged_is_lost_beside_a_rush(run: Command, tmp_path: Path) -> None:
    plain = write_served(run.data)
    with running(run.data, "--workers", "2") as server:
        rush = Rush(server, COURSE)
        with rush():
            ended = run("archive", COURSE, tmp_path / "a.tar.zst", "--remove", "--yes")
            if ended.code == 0:  # Nobody has handed in meanwhile: it is gone, and comes back.
                run.done("restore", tmp_path / "a.tar.zst")
            else:
                assert "math stays where it is, for it was changed meanwhile" in ended.err
            rush.progress()
            # What was there before is in it, whole.
            run.done("restore", tmp_path / "a.tar.zst", "--as", "copy")
            rush.progress()
            run.done("course", "rename", COURSE, "new name")
            rush.refused.clear()
            until(lambda: rush.refused, "a refusal after the course was renamed")
            rush.course = "new name"
            rush.progress()
            run.done("user", "rename", STUDENTS[0], "renamed")
            rush.refused.clear()
            until(lambda: rush.refused, "a refusal of the old name")
        places = [run.data / "courses" / "new name"]
        assert set(rush.refused) <= {403, 404, 503}
        # The renamed student's work is in the folder of the new name.
        rush.stored["renamed"] = rush.stored.pop(STUDENTS[0])
        assert rush.missing(places) == []
        # Now that it is quiet, the course may go.
        run.done("archive", "new name", tmp_path / "b.tar.zst", "--remove", "--yes")
        run.done("restore", tmp_path / "b.tar.zst")
        assert rush.missing(places) == []
    assert codes(run.data) == []
    assert not plain.course.exists()
    assert list((run.data / ".ngshare" / "staging").iterdir()) == []
