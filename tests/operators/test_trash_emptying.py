"""`ngshare-fs trash empty`: what is old goes for good, an entry at a time, and nothing else does."""

import contextlib
import itertools
import os
import shutil
import threading
from datetime import timedelta
from pathlib import Path

import pytest

from ngshare_fs.store import Volume
from ngshare_fs.store.format import timestamp
from ngshare_fs.store.upkeep import emptying
from ngshare_fs.store.writing.locks import lock_on
from tests.durability.disks import EXT4, MIB, mounted, skip_unless_possible
from tests.operators.deleted import OF_OLD, command, delete, journal, plain
from tests.operators.running import Command
from tests.verifying import codes, everything
from tests.volumes import (
    ASSIGNMENT,
    COURSE,
    DELETED,
    RELEASED,
    Plain,
    write_deletion,
)

__all__ = ["command", "plain"]


def test_what_is_old_is_removed_for_good(plain: Plain, command: Command) -> None:
    young = delete(plain.root, "submission")
    before = everything(plain.root)
    said = command("trash", "empty", "--older-than", "90d", "--dry-run")
    assert (said.code, said.out.splitlines()[-1]) == (0, "Would remove 1 entry, 7 B.")
    assert everything(plain.root) == before
    asked = command("trash", "empty", "--older-than", "90d")
    assert asked.code == 1
    assert "say --yes" in asked.err
    assert plain.deletion.is_dir()
    assert command("trash", "empty", "--older-than", "90d", "--yes").out == "Removed 1 entry.\n"
    assert os.listdir(plain.root / "trash") == [young]
    assert os.listdir(plain.root / ".ngshare/staging") == []
    assert journal(plain.root)[-1] | {"time": ""} == {
        "time": "",
        "what": "empty-trash",
        "by": journal(plain.root)[-1]["by"],
        "via": "command",
        "course": COURSE,
        "assignment": "old",
        "detail": f"assignment {OF_OLD}",
    }
    assert codes(plain.root) == []
    assert "as old as that" in command("trash", "empty", "--older-than", "1h", "--yes").out


def test_only_what_was_deleted_of_one_course_is_removed(plain: Plain, command: Command) -> None:
    assert "as old" in command("trash", "empty", "physics", "--older-than", "0d", "--yes").out
    assert plain.deletion.is_dir()
    command("trash", "empty", COURSE, "--older-than", "0d", "--yes")
    assert not plain.deletion.exists()


@pytest.mark.parametrize("age", ["90", "d", "-1d", "1.5d", "99999d", "90 days"])
def test_an_age_is_days_or_hours(age: str, command: Command, plain: Plain) -> None:
    assert command("trash", "empty", f"--older-than={age}", "--yes").code == 2
    assert plain.deletion.is_dir()


def test_an_empty_entry_goes_when_nobody_can_be_about_to_fill_it(plain: Plain, command: Command) -> None:
    said = {"kind": "course", "course": "c", "by": "root", "timestamp": timestamp.ago(timedelta(minutes=50))}
    young = write_deletion(plain.root, said, "00000001")
    old = write_deletion(plain.root, said | {"timestamp": timestamp.ago(timedelta(minutes=70))}, "00000002")
    bare = plain.root / "trash" / "20200301T080000.000000Z-00000003"
    bare.mkdir()
    command("trash", "empty", "--older-than", "0d", "--yes")
    assert young.is_dir()
    assert not old.exists()
    assert not bare.exists()


def test_an_empty_entry_that_is_filled_at_the_last_moment_stays_whole(
    plain: Plain, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = {"kind": "assignment", "course": COURSE, "assignment": ASSIGNMENT, "by": "root", "timestamp": DELETED}
    entry = write_deletion(plain.root, said, "00000001")
    unlink = os.unlink

    def unlink_late(path: str) -> None:
        unlink(path)
        if entry.is_dir() and plain.assignment.is_dir():
            plain.assignment.rename(entry / ASSIGNMENT)

    volume = Volume.open(plain.root)
    shutil.rmtree(plain.deletion)
    monkeypatch.setattr(os, "unlink", unlink_late)
    gone: list[object] = []
    assert emptying.empty(volume, timedelta(0), gone.append)
    monkeypatch.undo()
    volume.close()
    assert gone == []
    assert (entry / ASSIGNMENT / "releases").is_dir()
    assert codes(plain.root) == []


def test_two_do_not_empty_it_at_once(plain: Plain, command: Command) -> None:
    Volume.open(plain.root).close()
    with lock_on(str(plain.root / ".ngshare/locks/emptying.lock")):
        said = command("trash", "empty", "--older-than", "90d", "--yes")
    assert said.code == 1
    assert "another process" in said.err
    assert plain.deletion.is_dir()


def test_what_cannot_be_removed_is_said_and_does_not_keep_the_rest(
    plain: Plain, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = {"kind": "assignment", "course": COURSE, "assignment": "stuck", "by": "root", "timestamp": RELEASED}
    entry = write_deletion(plain.root, said, "00000001")
    shutil.copytree(plain.assignment, entry / "stuck")
    (entry / "stuck/releases/will not go").touch()
    unlink = os.unlink

    def refuse(path: str) -> None:
        if str(path).endswith("will not go"):
            raise OSError(5, "Input/output error", path)
        unlink(path)

    monkeypatch.setattr(os, "unlink", refuse)
    said_by = command("trash", "empty", "--older-than", "90d", "--yes")
    monkeypatch.undo()
    assert said_by.code == 1
    assert "Input/output error" in said_by.err
    assert os.listdir(plain.root / "trash") == []
    assert command("trash", "empty", "--older-than", "90d", "--yes").code == 0
    volume = Volume.open(plain.root)
    assert emptying.empty(volume, timedelta(days=90), lambda entry: None)
    volume.close()
    assert os.listdir(plain.root / ".ngshare/staging") == []


def test_two_that_have_lost_their_lock_remove_each_entry_once(plain: Plain, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(20):
        said = {"kind": "assignment", "course": COURSE, "assignment": "old", "by": "root", "timestamp": DELETED}
        shutil.copytree(plain.assignment, write_deletion(plain.root, said, f"{number:08x}") / "old")
    monkeypatch.setattr(emptying, "if_abandoned", lambda path: contextlib.nullcontext(True))
    volumes = [Volume.open(plain.root) for _ in range(2)]
    removed: list[str] = []
    failures: list[OSError] = []

    def work(volume: Volume) -> None:
        try:
            emptying.empty(volume, timedelta(0), lambda entry: removed.append(entry.name))
        except OSError as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(volume,)) for volume in volumes]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert emptying.empty(volumes[0], timedelta(0), lambda entry: removed.append(entry.name))
    for volume in volumes:
        volume.close()
    assert os.listdir(plain.root / "trash") == os.listdir(plain.root / ".ngshare/staging") == []
    assert len(removed) == len(set(removed))


def test_a_stop_leaves_the_rest_for_later(plain: Plain) -> None:
    volume = Volume.open(plain.root)
    asked = iter([False, False, True])
    removed: list[object] = []
    assert emptying.empty(volume, timedelta(0), removed.append, should_stop=lambda: next(asked, True))
    assert removed == []
    assert not plain.deletion.exists()
    assert os.listdir(plain.root / ".ngshare/staging/emptying")
    assert emptying.empty(volume, timedelta(0), removed.append)
    volume.close()
    assert os.listdir(plain.root / ".ngshare/staging") == []


def test_a_disk_without_inodes_gets_some(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    skip_unless_possible(EXT4)
    EXT4.make(tmp_path / "image", 8 * MIB, "-N", "128")
    with mounted(tmp_path / "image", tmp_path / "disk") as disk:
        plain = Plain(disk / "volume")
        command = Command(plain.root, capsys)
        Volume.open(plain.root).close()
        (disk / "fillers").mkdir()
        with contextlib.suppress(OSError):
            for number in itertools.count():
                (disk / f"fillers/{number}").touch()
        with pytest.raises(OSError, match="No space left"):
            (disk / "one more").touch()
        assert os.statvfs(disk).f_bavail > 100
        assert "`ngshare-fs trash empty` works all the same" in command("prune", "--keep", "1", "--yes").err
        said = command("trash", "empty", "--older-than", "90d", "--yes")
        assert (said.code, said.out) == (0, "Removed 1 entry.\n")
        assert os.listdir(plain.root / "trash") == []
        assert os.listdir(plain.root / ".ngshare/staging") == []
        assert os.listdir(plain.root / ".ngshare/locks") == []
        assert [line["what"] for line in journal(plain.root)] == ["empty-trash"]
        assert codes(plain.root) == []


def test_a_full_disk_gets_room(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    skip_unless_possible(EXT4)
    EXT4.make(tmp_path / "image", 8 * MIB)
    with mounted(tmp_path / "image", tmp_path / "disk") as disk:
        plain = Plain(disk / "volume")
        command = Command(plain.root, capsys)
        (plain.deletion / "old" / "large").write_bytes(b"x" * MIB)
        delete(plain.root, "submission")
        for size in (65536, 512):  # until not even a folder can be made
            with (disk / f"filler {size}").open("wb", buffering=0) as file, contextlib.suppress(OSError):
                while file.write(b"x" * size):
                    os.fsync(file)
        with pytest.raises(OSError, match="No space left"):
            (disk / "folder").mkdir()
        assert "`ngshare-fs trash empty` works all the same" in command("prune", "--keep", "1", "--yes").err
        said = command("trash", "empty", "--older-than", "90d", "--yes")
        assert (said.code, said.out) == (0, "Removed 1 entry.\n")
        assert not plain.deletion.exists()
        assert os.listdir(plain.root / ".ngshare/staging") == []
        assert os.statvfs(disk).f_bavail * os.statvfs(disk).f_frsize >= MIB // 2
        assert len(os.listdir(plain.root / "trash")) == 1
        assert codes(plain.root) == []
