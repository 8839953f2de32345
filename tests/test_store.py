"""What the store promises on its own, without HTTP."""

import errno
import multiprocessing
import os
import re
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from ngshare_fs.store import Volume, assignment, course, release, roster, submission
from ngshare_fs.store import volume as volumes
from ngshare_fs.store.checking.verify import verify_volume
from ngshare_fs.store.checking.volume_check import look_at_volume
from ngshare_fs.store.errors import LockTimeout, VolumeError, from_os_error
from ngshare_fs.store.format import layout, timestamp
from ngshare_fs.store.format.course_file import Person
from ngshare_fs.store.format.timestamp import Timestamp
from ngshare_fs.store.reading import cached_folders
from ngshare_fs.store.reading.cached_folders import Submission
from ngshare_fs.store.writing import durability
from ngshare_fs.store.writing.locks import Locks
from tests.stores import beside_the_next_flush, hand_in, upload, volume

__all__ = ["volume"]


def test_a_bulk_change_of_a_roster_is_one_write(volume: Volume, monkeypatch: pytest.MonkeyPatch) -> None:
    writes: list[str] = []
    write = durability.write_file

    def counted(path: str, content: bytes, *, flush: bool = False) -> None:
        writes.append(path)
        write(path, content, flush=flush)

    monkeypatch.setattr(durability, "write_file", counted)
    people = [(f"student {number}", Person("First", "Last", "x@y")) for number in range(2000)]
    assert roster.set_students(volume, "c", people) == [None] * 2000
    assert len(writes) == 1
    assert roster.set_students(volume, "c", people) == [None] * 2000  # nothing new, nothing written
    assert len(writes) == 1
    assert list(roster.of(volume, "c").students) == [name for name, _ in people]


def test_a_change_that_was_made_but_not_flushed_is_flushed_before_it_is_acknowledged(volume: Volume) -> None:
    """Its author died, or was told that it failed, and it is made again: there is nothing to write."""
    file = layout.roster(volume.root, "c")
    flushed: list[tuple[list[str], list[str]]] = []
    flush = volume.flusher.flush

    class NotFolders:
        while_open = False

        def flush(self, files: list[str], folders: list[str]) -> None:
            if folders:
                raise OSError(errno.EIO, os.strerror(errno.EIO), folders[0])
            flush(files, folders)

        def close(self) -> None: ...

    class Noted(NotFolders):
        def flush(self, files: list[str], folders: list[str]) -> None:
            flushed.append((files, folders))
            flush(files, folders)

    honest, volume.flusher = volume.flusher, NotFolders()
    with pytest.raises(OSError, match="Input/output error"):
        roster.set_student(volume, "c", "ada", Person())
    assert "ada" in roster.of(volume, "c").students
    with pytest.raises(OSError, match="Input/output error"):
        roster.set_student(volume, "c", "ada", Person())
    volume.flusher = Noted()
    roster.set_student(volume, "c", "ada", Person())
    assert flushed == [([file], [os.path.dirname(file)])]
    roster.set_student(volume, "c", "max", Person())
    flushed.clear()
    roster.set_student(volume, "c", "max", Person())  # this process has flushed it
    assert flushed == []
    volume.flusher = honest


@pytest.mark.parametrize("in_place", [False, True])
def test_an_edit_by_hand_while_a_change_is_flushed_is_kept(volume: Volume, in_place: bool) -> None:
    file = Path(layout.roster(volume.root, "c"))

    def edit() -> None:
        edited = file.read_text() + "note: by hand\n"
        if in_place:
            file.write_text(edited)
        else:
            (file.parent / "new").write_text(edited)
            (file.parent / "new").replace(file)

    roster.set_student(volume, "c", "max", Person())
    with beside_the_next_flush(volume, edit):
        roster.set_student(volume, "c", "ada", Person())
    assert "note: by hand\n" in file.read_text()
    assert {"ada", "max"} == set(roster.of(volume, "c").students)


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


@contextmanager
def as_nobody() -> Iterator[None]:
    """Root writes everywhere, and can stop doing so."""
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_who_may_not_write_hears_what_to_do() -> None:
    folder = Path(tempfile.mkdtemp())  # pytest's own lie where only root may enter
    own, locks, others = folder / "own", folder / "own/.ngshare/locks", folder / "others"
    try:
        folder.chmod(0o777)
        with as_nobody():
            Volume.open(own).close()
            locks.chmod(0o555)
        Volume.open(others).close()
        others.chmod(0o755)
        folder.chmod(0o755)
        remedies = {
            own: f"let its owner write (chmod -R u+rwX {locks})",
            others: f"let that user own the folder (chown -R {others})",
            folder / "new": f"make {folder}/new and let that user own it",
        }
        with as_nobody():
            for path, remedy in remedies.items():
                with pytest.raises(VolumeError, match=re.escape(remedy)):
                    Volume.open(path)
            assert [found.remedy for found in look_at_volume(own)] == [remedies[own]]
    finally:
        shutil.rmtree(folder)


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


def test_a_list_is_made_once_and_anew_after_each_change(volume: Volume, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cached_folders, "RACY_NANOSECONDS", -(10**12))  # old enough at once
    looked_into: list[str] = []
    look = cached_folders._submissions_in

    def noted(folder: str, parent: int) -> list[Submission] | None:
        looked_into.append(folder)
        return look(folder, parent)

    monkeypatch.setattr(cached_folders, "_submissions_in", noted)
    # A name that is cut is looked up in a manifest.
    students = ["ada", "bob", "x" * 300]
    handed_in = [Submission(student, hand_in(volume, student)) for student in students * 2]
    assert submission.submissions_to(volume, "c", "a") == handed_in
    assert len(looked_into) == len(students)
    assert submission.submissions_to(volume, "c", "a") == handed_in
    assert len(looked_into) == len(students)
    submission.delete(volume, "c", "a", "bob", handed_in[1].timestamp, "kevin")
    handed_in[1:2] = []
    assert submission.submissions_to(volume, "c", "a") == handed_in
    assert looked_into[len(students) :] == ["bob"]
    handed_in.append(Submission("bob", hand_in(volume, "bob")))
    assert submission.submissions_to(volume, "c", "a") == handed_in


def test_a_list_goes_the_way_to_the_folders_once(volume: Volume, monkeypatch: pytest.MonkeyPatch) -> None:
    """On NFS each name on the way is a question to the file server, for each of thousands of folders."""
    students = [f"student {number}" for number in range(5)]
    handed_in = [Submission(student, hand_in(volume, student)) for student in students]
    opened = []
    real_open = os.open

    def noted(path: str, *arguments: int, dir_fd: int | None = None) -> int:
        opened.append(path)
        return real_open(path, *arguments, dir_fd=dir_fd)

    monkeypatch.setattr(os, "open", noted)
    assert submission.submissions_to(volume, "c", "a") == handed_in
    whole_ways = [path for path in opened if path.startswith(volume.root)]
    assert set(students) <= set(opened)
    assert not any(path.endswith(student) for path in whole_ways for student in students)


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


def test_a_first_start_on_a_full_disk_leaves_nothing_behind(small_disk: Path) -> None:
    with (small_disk / "filler").open("wb", buffering=0) as file, suppress(OSError):
        while file.write(b"x" * 4096):
            pass
    with pytest.raises(VolumeError, match="No space left on device"):
        Volume.open(small_disk / "volume")
    assert [path for path in (small_disk / "volume").rglob("*") if path.is_file()] == []


def test_a_start_on_a_full_disk_leaves_nothing_behind(small_disk: Path) -> None:
    Volume.open(small_disk / "volume").close()
    filler = small_disk / "filler"
    with filler.open("wb", buffering=0) as file, suppress(OSError):
        while file.write(b"x" * 4096):
            pass
    with pytest.raises(VolumeError, match=r"No space left on device \(.*/volume.*make room on it"):
        Volume.open(small_disk / "volume")
    assert os.listdir(small_disk / "volume/.ngshare/locks") == []


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
