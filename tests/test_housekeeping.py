"""What a command leaves behind or replaces: removing it never fails the command, nor takes what it must not."""

import errno
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ngshare_fs.exchange.folders import moving, replacing
from ngshare_fs.exchange.folders.file_names import path_in
from ngshare_fs.formats.file_names import normal

GROUP, FIRST, SECOND = 61000, 61001, 61002


def tree(folder: Path, content: bytes) -> Path:
    (folder / "sub").mkdir(parents=True)
    (folder / "sub/work").write_bytes(content)
    return folder


def put(
    target: Path, content: bytes, replaces: replacing.Keep | None, meanwhile: Callable[[], object] = lambda: None
) -> None:
    """Make a folder, and put it in place after something has happened there."""
    with replacing.replacing_folder(str(target), replaces) as place:
        tree(Path(place.tree), content)
        meanwhile()


@pytest.mark.parametrize("kind", ["file", "link", "dangling", "pipe"])
@pytest.mark.parametrize("replaces", [None, lambda old: None])
def test_what_is_no_folder_is_not_replaced(tmp_path: Path, kind: str, replaces: replacing.Keep | None) -> None:
    target = tmp_path / "target"
    if kind == "file":
        target.write_text("mine")
    elif kind == "pipe":
        os.mkfifo(target)
    else:
        target.symlink_to("elsewhere")
        if kind == "link":
            (tmp_path / "elsewhere").mkdir()
    before = target.lstat()
    with pytest.raises(moving.InTheWay, match="is in the way"), replacing.replacing_folder(str(target), replaces):
        pass
    # It may come at the last moment, too.
    target.rename(tmp_path / "later")
    with pytest.raises(moving.InTheWay, match="is in the way"):
        put(target, b"new", replaces, meanwhile=lambda: (tmp_path / "later").rename(target))
    assert target.lstat().st_ino == before.st_ino
    assert not list(tmp_path.glob(".ngshare-fs-*"))


def test_a_folder_gives_way_only_where_that_was_meant(tmp_path: Path) -> None:
    target = tree(tmp_path / "target", b"old")
    with pytest.raises(moving.InTheWay, match="a folder is in the way"), replacing.replacing_folder(str(target)):
        pass
    # Somebody else may have made it meanwhile.
    with pytest.raises(moving.InTheWay):
        put(tmp_path / "new", b"new", None, meanwhile=lambda: tree(tmp_path / "new", b"mine"))
    assert (tmp_path / "new/sub/work").read_bytes() == b"mine"
    kept = tmp_path / "kept" / "it"
    put(target, b"new", lambda old: str(kept))
    assert (kept / "sub/work").read_bytes() == b"old"
    assert (target / "sub/work").read_bytes() == b"new"
    # It cannot be kept: it stays.
    with pytest.raises(OSError, match="not empty"):
        put(target, b"newer", lambda old: str(kept))
    assert (target / "sub/work").read_bytes() == b"new"
    assert sorted(os.listdir(tmp_path)) == ["kept", "new", "target"]


def test_a_file_stands_where_folders_are_needed(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("mine")
    with (
        pytest.raises(moving.InTheWay, match="a file is in the way"),
        replacing.replacing_folder(str(tmp_path / "a/b/c")),
    ):
        pass
    with pytest.raises(moving.InTheWay), replacing.scratch_folder_near(str(tmp_path / "a/b/c")):
        pass


@pytest.fixture
def course() -> Iterator[Path]:
    """A folder of a group, which others reach, too."""
    if os.geteuid():
        pytest.skip("becoming other users needs root: run the tests as root")
    place = Path(tempfile.mkdtemp(prefix="graders-"))
    os.chown(place, 0, GROUP)
    place.chmod(0o2770)
    yield place
    shutil.rmtree(place)


def as_user(user: int, action: Callable[[], None]) -> None:
    """Do it as another user of the group, in a process of its own."""
    child = os.fork()
    if not child:
        try:
            os.setgroups([GROUP])
            os.setgid(60000)
            os.setuid(user)
            os.umask(0o007)
            action()
            os._exit(0)
        finally:
            os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_what_a_colleague_left_is_removed_as_far_as_allowed(course: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replacing, "LEFT_OVER_SECONDS", -1)
    target = course / "target"

    def first() -> None:
        tree(target, b"old")
        (target / "sub").chmod(0o750)  # not for the group
        tree(course / ".ngshare-fs-1" / "tree", b"left").chmod(0o700)
        tree(course / ".ngshare-fs-2" / "tree", b"left")
        (course / ".ngshare-fs-2").chmod(0o700)

    def second() -> None:
        with replacing.replacing_folder(str(target), lambda old: None) as place:
            tree(Path(place.tree), b"new")

    as_user(FIRST, first)
    as_user(SECOND, second)
    assert (target / "sub/work").read_bytes() == b"new"
    assert (course / ".ngshare-fs-2/tree/sub/work").exists()
    as_user(FIRST, lambda: replacing.sweep(str(course)))
    assert not (course / ".ngshare-fs-2").exists()


def test_what_is_being_replaced_is_not_lost_while_it_is_out_of_reach(
    course: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replacing, "LEFT_OVER_SECONDS", -1)
    left = course / ".ngshare-fs-1"

    def first() -> None:
        tree(left / replacing.REPLACED / "0" / "target", b"old")
        left.chmod(0o700)

    as_user(FIRST, first)
    as_user(SECOND, lambda: replacing.sweep(str(course)))
    assert not (course / "target").exists()
    as_user(FIRST, lambda: replacing.sweep(str(course)))
    assert (course / "target/sub/work").read_bytes() == b"old"
    assert not left.exists()


def test_a_folder_that_cannot_be_read_is_not_swept(tmp_path: Path) -> None:
    replacing.sweep(str(tmp_path / "not there"))
    (tmp_path / "file").touch()
    replacing.sweep(str(tmp_path / "file"))
    replacing.remove(str(tmp_path / "not there"))


def test_a_file_comes_to_where_nothing_is(tmp_path: Path) -> None:
    source, target = tmp_path / "source", tmp_path / "target"
    source.write_text("new")
    target.write_text("mine")
    with pytest.raises(FileExistsError):
        moving.move_new(str(source), str(target))
    assert (source.read_text(), target.read_text()) == ("new", "mine")
    target.unlink()
    target.symlink_to("nowhere")
    with pytest.raises(FileExistsError):
        moving.move_new(str(source), str(target))
    target.unlink()
    moving.move_new(str(source), str(target))
    assert target.read_text() == "new"
    assert not source.exists()
    other_disk = Path("/dev/shm")  # on Linux
    if other_disk.is_dir() and other_disk.stat().st_dev != tmp_path.stat().st_dev:
        with tempfile.TemporaryDirectory(dir=other_disk) as there:
            for move in (moving.move_new, moving.move):
                source.write_text("far")
                move(str(source), str(Path(there) / move.__name__))
                assert (Path(there) / move.__name__).read_text() == "far"
                assert not source.exists()
            assert sorted(os.listdir(there)) == ["move", "move_new"]
            source.write_text("far")
            with pytest.raises(FileExistsError):
                moving.move_new(str(source), str(Path(there) / "move"))
            assert source.exists()


def test_names_that_look_alike_are_one(tmp_path: Path) -> None:
    composed, decomposed = "\u00dc/\u00e9.txt", "U\u0308/e\u0301.txt"
    assert normal(composed) == normal(decomposed)
    (tmp_path / "U\u0308").mkdir()
    assert path_in(str(tmp_path), composed) == str(tmp_path / "U\u0308/\u00e9.txt")
    (tmp_path / decomposed).touch()
    assert path_in(str(tmp_path), composed) == str(tmp_path / decomposed)
    assert path_in(str(tmp_path), "a/b") == str(tmp_path / "a/b")


def test_a_failure_names_the_place_that_somebody_knows(tmp_path: Path) -> None:
    """Not the hidden folder that could not be made there, nor what was to be moved."""
    hidden = tmp_path / "home" / ".ngshare-fs-0123"
    refused = (errno.EACCES, os.strerror(errno.EACCES))
    assert replacing.in_words(OSError(*refused, str(hidden))) == f"{tmp_path}/home: Permission denied"
    moved = OSError(*refused, str(hidden / "parts/0"), None, str(tmp_path / "home/ps1/data.csv"))
    assert replacing.in_words(moved) == f"{tmp_path}/home/ps1/data.csv: Permission denied"
    assert replacing.in_words(OSError("odd")) == "A file: odd"
