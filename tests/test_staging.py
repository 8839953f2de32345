"""What waits to be published belongs to one process: the dead leave it to be swept, and the living lose nothing."""

import errno
import multiprocessing
import os
import shutil
import threading
import time
from collections.abc import Callable
from multiprocessing.synchronize import Barrier
from pathlib import Path

import pytest

from ngshare_fs.store import Volume, assignment, course, release, roster, submission
from ngshare_fs.store.checking.verify import verify_volume
from ngshare_fs.store.errors import VolumeFailure
from ngshare_fs.store.format.course_file import Person
from ngshare_fs.store.format.timestamp import Timestamp
from ngshare_fs.store.writing import durability
from ngshare_fs.store.writing.upload import Upload
from tests.stores import beside_the_next_flush, hand_in, upload, volume

__all__ = ["volume"]


def _die_while_staging(root: Path) -> None:
    volume = Volume.open(root)
    (Path(volume.upload().folder) / "half").write_bytes(b"x")
    os._exit(9)


def test_only_what_the_dead_left_is_swept(volume: Volume) -> None:
    alive = volume.upload()
    (Path(alive.folder) / "half").write_bytes(b"x")
    dead = multiprocessing.get_context("spawn").Process(target=_die_while_staging, args=(Path(volume.root),))
    dead.start()
    dead.join(60)
    assert len(list(Path(volume.root).glob(".ngshare/staging/*/*/half"))) == 2
    Volume.open(Path(volume.root)).close()
    assert list(Path(volume.root).glob(".ngshare/staging/*/*/half")) == [Path(alive.folder) / "half"]
    assert len(list(Path(volume.root).glob(".ngshare/locks/process-*"))) == 1
    alive.discard()


def test_it_is_swept_also_where_there_can_be_no_more_threads(volume: Volume, monkeypatch: pytest.MonkeyPatch) -> None:
    def start(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    left = Path(volume.root, ".ngshare/staging/process-dead")
    left.mkdir()
    monkeypatch.setattr(threading.Thread, "start", start)
    volume.staging.sweep()
    assert not left.exists()


def lose_the_lock(volume: Volume) -> None:
    """As a volume on a network may: who comes next takes the process that holds it for dead."""
    (lock,) = Path(volume.root).glob(".ngshare/locks/process-*.lock")
    lock.unlink()


def test_who_lost_the_lock_publishes_nothing_that_is_being_swept(
    volume: Volume, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At the first file that the sweep removes, the other one is allowed to go on."""
    ended: list[BaseException | Timestamp] = []

    def submit() -> None:
        try:
            ended.append(hand_in(volume, "ada"))
        except BaseException as problem:
            ended.append(problem)

    submitting = threading.Thread(target=submit)
    unlink = os.unlink

    def go_on_first(path: str, *, dir_fd: int | None = None) -> None:
        if threading.current_thread().name == "sweep staging" and held.locked():
            held.release()
            submitting.join(60)
        unlink(path, dir_fd=dir_fd)

    held = threading.Lock()
    held.acquire()
    with volume.locks.hold("publish", "/courses/c/assignments/a/submissions/ada"):
        submitting.start()
        while not list(Path(volume.root).glob(".ngshare/staging/*/*/manifest.yaml")):
            time.sleep(0.001)
        lose_the_lock(volume)
        monkeypatch.setattr(os, "unlink", go_on_first)
        sweeping = threading.Thread(target=lambda: Volume.open(Path(volume.root)).close())
        sweeping.start()
        assert held.acquire(timeout=60)
    submitting.join(60)
    sweeping.join(60)
    assert [type(problem) for problem in ended] == [VolumeFailure]
    assert submission.submissions_to(volume, "c", "a") == []
    assert list(verify_volume(Path(volume.root))) == []
    moment = hand_in(volume, "ada")  # from a new folder, with a lock that holds
    Volume.open(Path(volume.root)).close()
    assert len(list(Path(volume.root).glob(".ngshare/locks/process-*.lock"))) == 1
    assert len(list(Path(volume.root).glob(".ngshare/staging/process-*"))) == 1
    assert submission.submissions_by(volume, "c", "a", "ada") == [("ada", moment)]


@pytest.mark.parametrize("is_large", [False, True])
def test_staging_that_is_gone_is_a_failure_and_no_news_of_the_assignment(
    volume: Volume, is_large: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    with upload(volume, f=b"1") as work:
        if is_large:
            (large,) = work.files
            large.content, large.staged = None, work.new_file()
            Path(large.staged).write_bytes(b"1")
            shutil.rmtree(Path(volume.root) / ".ngshare/staging")
        else:
            write_tree = Upload.write_tree

            def remove_first(work: Upload, into: str, dirty: durability.DirtySet) -> None:
                shutil.rmtree(Path(volume.root) / ".ngshare/staging")
                write_tree(work, into, dirty)

            monkeypatch.setattr(Upload, "write_tree", remove_first)
        with pytest.raises(VolumeFailure, match="was removed while it was written"):
            submission.submit(volume, "c", "a", "ada", work)
    monkeypatch.undo()
    hand_in(volume, "ada")


WRITES: dict[str, Callable[[Volume, Upload], object]] = {
    "course": lambda volume, _: course.create(volume, "d"),
    "release": lambda volume, work: release.release(volume, "c", "d", "kevin", work),
    "release again": lambda volume, work: release.release_again(volume, "c", "a", "kevin", work),
    "submission": lambda volume, work: submission.submit(volume, "c", "a", "ada", work),
    "roster": lambda volume, _: roster.set_student(volume, "c", "ada", Person()),
}


@pytest.mark.parametrize("is_flushed", [False, True])
@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
def test_nor_is_staging_that_goes_when_all_is_written(
    volume: Volume, write: Callable[[Volume, Upload], object], is_flushed: bool
) -> None:
    def remove() -> None:
        shutil.rmtree(Path(volume.root) / ".ngshare/staging")

    with (
        upload(volume, f=b"1") as work,
        beside_the_next_flush(volume, remove, is_done=is_flushed),
        pytest.raises(VolumeFailure, match="was removed while it was written"),
    ):
        write(volume, work)
    assert course.all_courses(volume) == ["c"]
    assert assignment.assignments_of(volume, "c") == ["a"]
    assert submission.submissions_to(volume, "c", "a") == []


def test_a_sweep_goes_on_behind_what_it_cannot_sweep(volume: Volume, caplog: pytest.LogCaptureFixture) -> None:
    staging = Path(volume.root) / ".ngshare/staging"
    for number in range(5):
        (staging / f"process-{number}").mkdir()
    (Path(volume.root) / ".ngshare/locks/process-2.lock").mkdir()  # as root may have left one behind
    Volume.open(Path(volume.root)).close()
    assert {path.name for path in staging.iterdir() if len(path.name) < 20} == {"process-2"}
    assert [record.getMessage().partition(": ")[0] for record in caplog.records] == [
        f"could not sweep {staging / 'process-2'}"
    ]


def test_who_finds_no_room_for_a_folder_leaves_no_lock_behind(volume: Volume, monkeypatch: pytest.MonkeyPatch) -> None:
    locks = Path(volume.root) / ".ngshare/locks"
    before = set(locks.iterdir())
    mkdir = os.mkdir

    def full(path: str | Path, mode: int = 0o777) -> None:
        if "/staging/" in str(path):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), path)
        mkdir(path, mode)

    monkeypatch.setattr(os, "mkdir", full)
    with pytest.raises(OSError, match="No space left"):
        Volume.join(volume.root)
    assert set(locks.iterdir()) == before


def _open_often(root: Path, together: Barrier) -> None:
    for _ in range(15):
        together.wait(60)
        Volume.open(root).close()


def test_what_could_not_be_removed_is_removed_with_a_later_write(
    volume: Volume, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> None:
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    with monkeypatch.context() as patched, beside_the_next_flush(volume, fail):
        patched.setattr(shutil, "rmtree", lambda *_, **__: None)  # it fails for the same reason
        with pytest.raises(OSError, match="Too many open files"):
            hand_in(volume, "ada")
    (own,) = Path(volume.root).glob(".ngshare/staging/*")
    assert len(os.listdir(own)) == 1
    course.create(volume, "d")
    assert os.listdir(own) == []


def test_processes_that_start_at_once_do_not_sweep_each_other(tmp_path: Path) -> None:
    spawn = multiprocessing.get_context("spawn")
    together = spawn.Barrier(4)
    processes = [spawn.Process(target=_open_often, args=(tmp_path / "volume", together)) for _ in range(4)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
        assert process.exitcode == 0
    assert list((tmp_path / "volume/.ngshare").rglob("*-*")) == []
