"""Moving in while something happens: a kill, Ctrl-C, a full disk, a server at work, a second move."""

import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from ngshare_fs.store import Volume, assignment, submission
from tests import waiting
from tests.operators.ngshare_content import ODD_COURSE
from tests.operators.old_ngshare import OldNgshare
from tests.others.calls import Side, get, post
from tests.others.usual_calls import ANSWER
from tests.rounds import rounds
from tests.servers import running
from tests.verifying import codes

COURSE = "NBG 101"
COPIES = 8


@pytest.fixture
def old(tmp_path: Path) -> OldNgshare:
    return OldNgshare(tmp_path)


@pytest.fixture
def large(old: OldNgshare) -> OldNgshare:
    """With so many submissions that somebody can come between them."""
    for number in range(1, COPIES):
        old.sql(
            "INSERT INTO submissions (_id, assignment_id, timestamp, student_id) SELECT _id + 1000 * ?, assignment_id, "
            "replace(timestamp, '20', '19' ), student_id || ? FROM submissions WHERE _id < 1000",
            number, f" {number}",
        )  # fmt: skip
        old.sql(
            "INSERT INTO submission_files_assoc_table SELECT left_id + 1000 * ?, right_id "
            "FROM submission_files_assoc_table WHERE left_id + 0 < 1000",
            number,
        )
    return old


def submissions_on(data: Path) -> int:
    return len(list(data.glob("courses/*/assignments/*/submissions/*/*")))


@contextmanager
def held_up(old: OldNgshare) -> Iterator[None]:
    """What one student has handed in waits for a lock, so nobody can come to the end."""
    volume = Volume.open(old.data)
    with volume.locks.hold("publish", f"/courses/{COURSE}/assignments/ps2/submissions/lawrence"):
        yield
    volume.close()


def test_a_move_that_is_killed_goes_on_where_it_was(large: OldNgshare) -> None:
    (total,) = large.sql("SELECT count(*) FROM submissions")[0]
    for number in range(rounds(8)):
        # All but those of the one student may be there already, where this process had to wait long.
        enough = min(submissions_on(large.data) + 3 * number, total - 4)
        with held_up(large):
            process = large.start_moving()
            _wait_for_more(process, large.data, enough)
            assert process.poll() is None
            process.kill()
            process.wait()
        assert codes(large.data) == []
    there = submissions_on(large.data)
    outcome = large.move()
    new = sum(course["submissions"]["new"] for course in outcome.document["courses"])
    assert 0 < new == submissions_on(large.data) - there
    assert codes(large.data) == []
    assert not list(large.data.glob(".ngshare/staging/*"))

    at_once = OldNgshare(large.data.parent / "again")
    shutil.copyfile(large.database, at_once.database)
    at_once.move()
    assert large.trees() == at_once.trees()


def _wait_for_more(process: "subprocess.Popen[bytes]", data: Path, than: int) -> None:
    waiting.until(lambda: process.poll() is not None or submissions_on(data) > than, "something is moved")


@pytest.mark.long
def test_ctrl_c_stops_it_between_two_trees(large: OldNgshare, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "ngshare_fs", *large.words]
    with (tmp_path / "log").open("wb") as log, held_up(large):
        process = subprocess.Popen(command, stdout=log, stderr=log)
        _wait_for_more(process, large.data, 0)
        process.send_signal(signal.SIGINT)
    code = process.wait(waiting.PATIENCE)
    assert code == 130, (tmp_path / "log").read_text()
    assert "Run this again, and it goes on" in (tmp_path / "log").read_text()
    assert codes(large.data) == []
    assert large.move().new(ODD_COURSE)[2] > 0


@pytest.mark.long
def test_two_moves_at_once_are_like_one(large: OldNgshare) -> None:
    processes = [large.start_moving() for _ in range(2)]
    assert [process.wait(waiting.PATIENCE) for process in processes] == [1, 1]
    assert large.move().new(COURSE) == (0, 0, 0, 0)
    assert codes(large.data) == []


def test_a_volume_that_somebody_is_just_making_is_one(old: OldNgshare) -> None:
    """Its folders come first, and the file that makes it a volume last."""
    for folder in ("courses", ".ngshare/locks"):
        (old.data / folder).mkdir(parents=True)
    assert old.move().new(COURSE) != (0, 0, 0, 0)
    assert codes(old.data) == []


def test_a_server_at_work_on_the_volume_serves_what_comes_and_loses_nothing(large: OldNgshare) -> None:
    with running(large.data) as server:
        side = Side(server.url)
        side.play(
            [post("root", "course/new", instructors='["kevin"]'), post("kevin", "assignment/new/ps1", files=ANSWER)]
        )
        acknowledged = []
        moved = threading.Event()

        def hand_in() -> None:
            while not moved.is_set():
                answer = side.ask(post("kevin", "submission/new/ps1", files=ANSWER))
                assert answer.body is not None
                acknowledged.append(answer.body["timestamp"])

        student = threading.Thread(target=hand_in)
        student.start()
        try:
            assert large.start_moving().wait(waiting.PATIENCE) == 1
        finally:
            moved.set()
            student.join()
        listed = side.ask(get("kevin", f"submissions/{COURSE}/ps2")).body
        assert listed is not None
        assert len(listed["submissions"]) == 6 * COPIES
        own = side.ask(get("kevin", "submissions/new/ps1/kevin")).body
        assert own is not None
        assert [each["timestamp"] for each in own["submissions"]] == acknowledged
        assert side.ask(post("lawrence", f"submission/{COURSE}/ps2", files=ANSWER)).status == 200
    assert codes(large.data) == []


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    place = tmp_path / "small"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=2m,nr_inodes=250", "tmpfs", str(place)]
    if os.geteuid() or not shutil.which("mount") or subprocess.run(mount, check=False).returncode:
        pytest.skip("a small file system needs root and the right to mount")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


def test_a_disk_that_fills_stops_it_and_it_goes_on_later(large: OldNgshare, small_disk: Path, tmp_path: Path) -> None:
    large.data = small_disk / "data"
    outcome = large.move(code=1)
    assert outcome.problems("stopped") == [str(large.data)]
    (stopped,) = [each["message"] for each in outcome.document["problems"] if each["code"] == "stopped"]
    assert "No space left on device; what was taken over until then stays" in stopped
    assert codes(large.data) == []
    there = submissions_on(large.data)
    assert there

    shutil.copytree(large.data, tmp_path / "larger")
    large.data = tmp_path / "larger"
    outcome = large.move(code=1)
    assert outcome.problems("stopped") == []
    assert sum(course["submissions"]["there"] for course in outcome.document["courses"]) == there


def test_a_disk_that_will_be_full_is_not_filled(old: OldNgshare, small_disk: Path) -> None:
    old.sql("UPDATE files SET size = 3000000 WHERE filename = 'by a teacher'")
    old.data = small_disk / "data"
    failed = old.move(code=2)
    assert "the courses that are not here yet need 2.9 MiB, and " in failed.err
    assert not list(old.data.glob("courses/*"))
    assert old.move("--course", ODD_COURSE, code=0).new(ODD_COURSE) == (6, 2, 9, 1)


@pytest.mark.long
def test_an_assignment_that_is_deleted_meanwhile_keeps_nothing_else_away(
    large: OldNgshare, monkeypatch: pytest.MonkeyPatch
) -> None:
    deleted = threading.Lock()
    volume = Volume.open(large.data)
    real = submission.submit

    def submit(volume: Volume, course: str, name: str, *more: object) -> object:
        if name == "nothing in it" and deleted.acquire(blocking=False):
            with suppress(Exception):
                assignment.delete(volume, course, name, "kevin")
        return real(volume, course, name, *more)  # type: ignore[arg-type]

    monkeypatch.setattr(submission, "submit", submit)
    outcome = large.move(code=1)
    gone = outcome.problems("gone-meanwhile")
    assert gone
    assert all(place.startswith(f"{COURSE} / nothing in it / ") for place in gone)
    assert outcome.course(ODD_COURSE)["submissions"]["left_out"] == 0
    volume.close()
