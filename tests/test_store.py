"""What the store promises on its own, without HTTP."""

import hashlib
import multiprocessing
import os
import shutil
import subprocess
import threading
from collections.abc import Iterator
from multiprocessing.synchronize import Barrier
from pathlib import Path

import pytest

from ngshare_fs.store import Volume, assignment, course, durability, release, roster, submission, timestamp
from ngshare_fs.store import volume as volumes
from ngshare_fs.store.course_file import Person
from ngshare_fs.store.directory_tree import IncomingFile, Upload
from ngshare_fs.store.errors import AssignmentNotFound, LockTimeout, from_os_error
from ngshare_fs.store.locks import Locks
from ngshare_fs.store.timestamp import Timestamp
from ngshare_fs.store.verify import verify_volume


@pytest.fixture
def volume(tmp_path: Path) -> Iterator[Volume]:
    opened = Volume.open(tmp_path / "volume")
    course.create(opened, "c", ["kevin"])
    with upload(opened, f=b"1") as released:
        release.release(opened, "c", "a", "kevin", released)
    yield opened
    opened.close()


def upload(volume: Volume, **files: bytes) -> Upload:
    made = volume.upload()
    made.accept(
        IncomingFile(path, len(content), hashlib.md5(content).hexdigest(), content) for path, content in files.items()
    )
    return made


def hand_in(volume: Volume, student: str, content: bytes = b"1") -> Timestamp:
    with upload(volume, f=content) as work:
        return submission.submit(volume, "c", "a", student, work)


def test_a_bulk_change_of_a_roster_is_one_write(volume: Volume, monkeypatch: pytest.MonkeyPatch) -> None:
    writes: list[str] = []
    write = durability.write_file

    def counted(path: str, content: bytes) -> None:
        writes.append(path)
        write(path, content)

    monkeypatch.setattr(durability, "write_file", counted)
    people = [(f"student {number}", Person("First", "Last", "x@y")) for number in range(2000)]
    assert roster.set_students(volume, "c", people) == [True] * 2000
    assert len(writes) == 1
    assert roster.set_students(volume, "c", people) == [True] * 2000  # nothing new, nothing written
    assert len(writes) == 1
    assert list(roster.of(volume, "c").students) == [name for name, _ in people]


def test_lists_come_from_folder_names(volume: Volume) -> None:
    moments = [hand_in(volume, student) for student in ("ada", "bob", "ada")]
    for manifest in Path(volume.root).rglob("manifest.yaml"):
        manifest.unlink()
    assert submission.submissions_to(volume, "c", "a") == list(zip(("ada", "bob", "ada"), moments, strict=True))
    assert assignment.assignments_of(volume, "c") == ["a"]
    assert course.all_courses(volume) == ["c"]


def test_timestamps_increase_even_if_the_clock_is_set_back(volume: Volume, monkeypatch: pytest.MonkeyPatch) -> None:
    first = hand_in(volume, "ada")
    monkeypatch.setattr(timestamp, "now", lambda: Timestamp("2001-01-01 00:00:00.000000 UTC"))
    moments = [first, *(hand_in(volume, "ada") for _ in range(3))]
    assert moments == sorted(set(moments))
    assert hand_in(volume, "bob").startswith("2001")  # each student's own


def test_the_newest_and_each_older_submission_is_kept(volume: Volume) -> None:
    moments = [hand_in(volume, "ada", content) for content in (b"1", b"2", b"3")]
    for moment, content in [(None, b"3"), *zip(moments, (b"1", b"2", b"3"), strict=True)]:
        with submission.collect(volume, "c", "a", "ada", moment) as tree:
            descriptor = tree.open_file(tree.manifest.files[0])
            assert os.read(descriptor, 10) == content
            os.close(descriptor)


def test_a_deleted_assignment_takes_no_more_work(volume: Volume) -> None:
    with upload(volume, f=b"1") as late:
        assignment.delete(volume, "c", "a", by="kevin")
        with pytest.raises(AssignmentNotFound):
            submission.submit(volume, "c", "a", "ada", late)
    assert not (Path(volume.root) / "courses/c/assignments/a").exists()


def _hand_in_many(root: Path, student: str, count: int) -> None:
    volume = Volume.open(root)
    for _ in range(count):
        hand_in(volume, student)
        roster.set_student(volume, "c", f"{os.getpid()} {_}", Person())
    volume.close()


def test_processes_on_one_volume_lose_nothing(volume: Volume) -> None:
    spawn = multiprocessing.get_context("spawn")
    root = Path(volume.root)
    processes = [spawn.Process(target=_hand_in_many, args=(root, "ada", 15)) for _ in range(3)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
        assert process.exitcode == 0
    moments = [entry.timestamp for entry in submission.submissions_by(volume, "c", "a", "ada")]
    assert len(moments) == len(set(moments)) == 45
    assert len(roster.of(volume, "c").students) == 45
    assert list(verify_volume(root)) == []


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


def _open_often(root: Path, together: Barrier) -> None:
    for _ in range(15):
        together.wait(60)
        Volume.open(root).close()


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


def test_a_folder_that_another_process_makes_a_volume_meanwhile_is_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    check_empty = volumes._check_empty

    def check_late(root: str) -> None:
        with monkeypatch.context() as undone:
            undone.setattr(volumes, "_check_empty", check_empty)
            Volume.open(Path(root)).close()
        check_empty(root)

    monkeypatch.setattr(volumes, "_check_empty", check_late)
    Volume.open(tmp_path / "volume").close()


def test_a_lock_that_is_not_let_go_ends_in_an_error(tmp_path: Path) -> None:
    here, elsewhere = Locks(str(tmp_path), timeout=0.1), Locks(str(tmp_path), timeout=0.1)
    with here.hold("course", "c"), pytest.raises(LockTimeout), elsewhere.hold("course", "c"):
        pass
    entered = threading.Event()
    with here.hold("course", "c"):
        refused = threading.Thread(target=lambda: _try(here, entered))
        refused.start()
        refused.join()
    assert not entered.is_set()
    with elsewhere.hold("course", "c"):
        pass


def _try(locks: Locks, entered: threading.Event) -> None:
    try:
        with locks.hold("course", "c"):
            entered.set()
    except LockTimeout:
        pass


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 2 MiB and few inodes."""
    place = tmp_path / "small"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=2m,nr_inodes=200", "tmpfs", str(place)]
    if os.geteuid() or not shutil.which("mount") or subprocess.run(mount, check=False).returncode:
        pytest.skip("a small file system needs root and the right to mount")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


@pytest.mark.parametrize("files", [{"f": b"x" * 3 * 2**20}, {f"f{number}": b"" for number in range(300)}])
def test_a_full_disk_keeps_the_old_and_takes_no_half(small_disk: Path, files: dict[str, bytes]) -> None:
    volume = Volume.open(small_disk / "volume")
    course.create(volume, "c")
    with upload(volume, f=b"1") as released:
        release.release(volume, "c", "a", "kevin", released)
    first = hand_in(volume, "ada")
    with pytest.raises(OSError, match="No space left") as failed, upload(volume, **files) as work:
        submission.submit(volume, "c", "a", "ada", work)
    assert type(from_os_error(failed.value)).__name__ == "VolumeFull"
    assert [entry.timestamp for entry in submission.submissions_to(volume, "c", "a")] == [first]
    assert list((small_disk / "volume").glob(".ngshare/staging/*/*")) == []
    assert list(verify_volume(small_disk / "volume")) == []
    hand_in(volume, "ada")
    assert volume.ready() is None
    volume.close()
