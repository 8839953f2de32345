"""What the store promises on its own, without HTTP."""

import errno
import hashlib
import multiprocessing
import os
import re
import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from multiprocessing.synchronize import Barrier
from pathlib import Path

import pytest

from ngshare_fs.store import Volume, assignment, course, feedback, release, roster, submission
from ngshare_fs.store import volume as volumes
from ngshare_fs.store.checking.verify import verify_volume
from ngshare_fs.store.checking.volume_check import look_at_volume
from ngshare_fs.store.errors import (
    AssignmentNotFound,
    CourseNotFound,
    LockTimeout,
    SubmissionNotFound,
    VolumeError,
    VolumeFailure,
    from_os_error,
)
from ngshare_fs.store.format import layout, timestamp
from ngshare_fs.store.format.course_file import Person
from ngshare_fs.store.format.timestamp import Timestamp
from ngshare_fs.store.reading.cached_folders import timestamps_in
from ngshare_fs.store.writing import durability
from ngshare_fs.store.writing.locks import Locks
from ngshare_fs.store.writing.upload import IncomingFile, Upload


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


def test_a_change_that_was_made_but_not_flushed_is_flushed_before_it_is_acknowledged(volume: Volume) -> None:
    """Its author died, or was told that it failed, and it is made again: there is nothing to write."""
    file = layout.roster(volume.root, "c")
    flushed: list[tuple[list[str], list[str]]] = []
    flush = volume.flusher.flush

    class NotFolders:
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


@contextmanager
def beside_the_next_flush(
    volume: Volume, action: Callable[[], None], times: int = 1, is_done: bool = False
) -> Iterator[None]:
    """Do something while the volume is flushed, or directly after that, so many times."""
    honest, left = volume.flusher, [None] * times

    class Beside:
        def flush(self, files: list[str], folders: list[str]) -> None:
            if is_done:
                honest.flush(files, folders)
            if left:
                left.pop()
                action()
            if not is_done:
                honest.flush(files, folders)

        def close(self) -> None: ...

    volume.flusher = Beside()
    yield
    volume.flusher = honest


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


def test_a_trash_that_somebody_removed_is_made_again(volume: Volume) -> None:
    (Path(volume.root) / "trash").rmdir()
    assignment.delete(volume, "c", "a", by="kevin")
    assert assignment.assignments_of(volume, "c") == []
    assert list(verify_volume(Path(volume.root))) == []
    assert len(list(Path(volume.root).glob("trash/*/a"))) == 1


def _open_often(root: Path, together: Barrier) -> None:
    for _ in range(15):
        together.wait(60)
        Volume.open(root).close()


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
