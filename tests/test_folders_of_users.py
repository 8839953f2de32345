"""The plug-ins replace a folder whole or not at all, and remember in their cache what was handed in."""

import errno
import os
from pathlib import Path

import pytest

from ngshare_fs.exchange.folders import replacing
from ngshare_fs.exchange.folders.submission_cache import Attempt, Pending, SubmissionCache
from tests.plug_in_client import folder_with, no_matter


def test_a_failure_leaves_the_old_folder_and_nothing_else(tmp_path: Path) -> None:
    old = tmp_path / "above" / "target"
    folder_with(old, {"work": b"old"})
    with pytest.raises(FileExistsError), replacing.replacing_folder(str(old), no_matter) as place:
        os.mkdir(os.path.dirname(folder_with(Path(place.tree) / "sub", {"work": b"half"})))
    assert (old / "work").read_bytes() == b"old"
    assert os.listdir(old.parent) == ["target"]
    with pytest.raises(ValueError, match="cut"), replacing.replacing_folder(str(tmp_path / "new" / "x" / "target")):
        raise ValueError("cut")
    assert not (tmp_path / "new").exists()
    with replacing.replacing_folder(str(old), no_matter) as place:
        folder_with(Path(place.tree), {"work": b"new"})
    assert (old / "work").read_bytes() == b"new"
    assert os.listdir(old.parent) == ["target"]


def test_what_a_killed_command_left_behind_is_removed_later(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    left = tmp_path / (replacing.SCRATCH + "0123")
    left.mkdir()
    with replacing.replacing_folder(str(tmp_path / "a")):
        pass
    assert left.exists()  # it may still be at work
    monkeypatch.setattr(replacing, "LEFT_OVER_SECONDS", -1)
    with replacing.replacing_folder(str(tmp_path / "b")):
        pass
    assert sorted(os.listdir(tmp_path)) == ["a", "b"]


def killed_between_the_renames(target: Path) -> None:
    """Replace a folder in a process of its own, which dies when the old one is out of the way."""
    child = os.fork()
    if not child:
        try:
            rename = os.rename

            def rename_or_die(source: str, to: str) -> None:
                if to == str(target):
                    os._exit(0)
                rename(source, to)

            os.rename = rename_or_die  # type: ignore[assignment]
            with replacing.replacing_folder(str(target), no_matter) as place:
                folder_with(Path(place.tree), {"work": b"new"})
        finally:
            os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


@pytest.mark.parametrize("age", [0, -1])
def test_what_was_being_replaced_comes_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, age: int) -> None:
    target = tmp_path / "target"
    folder_with(target, {"work": b"old"})
    killed_between_the_renames(target)
    assert not target.exists()
    if age:
        monkeypatch.setattr(replacing, "LEFT_OVER_SECONDS", age)
    replacing.sweep(str(tmp_path))
    assert (target / "work").read_bytes() == b"old"
    assert bool(age) == (os.listdir(tmp_path) == ["target"])
    # What took its place in the meantime stays, and what nobody has replaced is not lost, however old it is.
    killed_between_the_renames(target)
    folder_with(target, {"work": b"newer"})
    replacing.sweep(str(tmp_path))
    assert (target / "work").read_bytes() == b"newer"
    with replacing.replacing_folder(str(target), no_matter) as place:
        folder_with(Path(place.tree), {"work": b"newest"})
    assert (target / "work").read_bytes() == b"newest"
    (kept,) = tmp_path.glob("*/replaced/0/target/work")
    assert kept.read_bytes() == b"old"


def test_what_cannot_be_brought_back_is_not_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "target"
    folder_with(target, {"work": b"old"})
    killed_between_the_renames(target)
    monkeypatch.setattr(replacing, "LEFT_OVER_SECONDS", -1)
    with monkeypatch.context() as refusing:

        def refuse(source: str, to: str) -> None:
            raise PermissionError(errno.EACCES, "Permission denied")

        refusing.setattr(os, "rename", refuse)
        replacing.sweep(str(tmp_path))
    replacing.sweep(str(tmp_path))
    assert (target / "work").read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["target"]


def test_two_commands_replace_the_same_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The other one puts its own in place between the two renames."""
    target = tmp_path / "target"
    folder_with(target, {"work": b"old"})
    rename = os.rename
    others = iter([b"first", b"second"])

    def rename_after_another(source: str, to: str) -> None:
        if to == str(target) and (content := next(others, None)):
            folder_with(target, {"work": content})
        rename(source, to)

    monkeypatch.setattr(os, "rename", rename_after_another)
    with replacing.replacing_folder(str(target), no_matter) as place:
        folder_with(Path(place.tree), {"work": b"new"})
    assert (target / "work").read_bytes() == b"new"
    assert os.listdir(tmp_path) == ["target"]


# The cache.


@pytest.mark.parametrize("name", ["ps1", "a+b", "100%", "a%2Bb", "a/b", "..", ".hidden", "zoë@uni.example", "x y"])
def test_names_in_the_cache_come_back_as_they_were(tmp_path: Path, name: str) -> None:
    cache = SubmissionCache(str(tmp_path))
    timestamp = "2020-01-01 00:00:00.000001 UTC"
    folder = cache.folder(name, name, name, timestamp)
    os.makedirs(folder)
    assert Path(folder).parent.parent == tmp_path
    assert cache.courses() == [name]
    (found,) = cache.submissions(name)
    assert (found.student, found.assignment, found.timestamp, found.folder) == (name, name, timestamp, folder)
    cache.forget(name, name, name, timestamp)
    assert cache.submissions(name) == []
    assert cache.removed() == {(name, name, name, timestamp)}


def test_what_an_older_server_was_given_is_forgotten_too(tmp_path: Path) -> None:
    cache = SubmissionCache(str(tmp_path))
    os.makedirs(cache.folder("c", "zoë", "ps1", "2020-01-01 00:00:00.000001"))
    cache.forget("c", "zoë", "ps1", "2020-01-01 00:00:00.000001 UTC")
    assert cache.submissions("c") == []


MOMENT, LATER = "2020-01-01 00:00:00.000001 UTC", "2020-01-01 00:00:00.000002 UTC"


def test_the_same_work_goes_on_with_the_same_key(tmp_path: Path) -> None:
    cache = str(tmp_path / "cache")

    def key(assignment: str, files: dict[str, str], fresh: str, after: str = "") -> str:
        attempt = Pending(cache, ("course", assignment), files).attempt(Attempt(fresh, after))
        return f"{attempt.key} {attempt.after}".strip()

    assert key("ps1", {"a": "1"}, "fresh1") == "fresh1"
    # What has been handed in meanwhile may be just that attempt: the server has to look where it would have looked.
    assert key("ps1", {"a": "1"}, "fresh2", MOMENT) == "fresh1"
    assert key("ps2", {"a": "1"}, "fresh3", MOMENT) == f"fresh3 {MOMENT}"
    assert key("ps2", {"a": "1"}, "fresh3", LATER) == f"fresh3 {MOMENT}"
    # Other files, and then these again: that is a new submission, which has to count as the newest.
    assert key("ps1", {"a": "2"}, "fresh4") == "fresh4"
    assert key("ps1", {"a": "1"}, "fresh5") == "fresh5"
    Pending(cache, ("course", "ps1"), {"a": "1"}).over()
    assert key("ps1", {"a": "1"}, "fresh6") == "fresh6"
    file = max(Path(cache).glob(".ngshare_pending-*"), key=lambda path: path.stat().st_mtime_ns)
    of_older_version = " ".join(file.read_text().split()[:2]) + "\n"
    for broken in ("", "one", "a b c"):
        file.write_text(broken)
        assert key("ps1", {"a": "1"}, "fresh7") == "fresh7"
    file.write_text(of_older_version)
    assert key("ps1", {"a": "1"}, "fresh8", MOMENT) == "fresh6"
