"""What the commands say of a volume that does not let them: it is read-only, locked, or somebody else's."""

import fcntl
import hashlib
import os
import subprocess
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from ngshare_fs.store.writing.locks import LOCK_FILES, Locks
from tests.durability.disks import unmounted_at_the_end
from tests.durability.states import state_of
from tests.operators.archives import RIGHT, members, tar, write
from tests.operators.running import Command, run
from tests.volumes import COURSE, STUDENT, Plain

__all__ = ["run"]

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="mounting and changing owners need root")
CHANGES = {
    "archive": ["archive", COURSE, "a.tar.zst", "--remove", "--yes"],
    "restore": ["restore", "right.tar.zst", "--as", "another"],
    "course rename": ["course", "rename", COURSE, "x"],
    "user rename": ["user", "rename", STUDENT, "x"],
    "user forget": ["user", "forget", STUDENT, "--yes"],
}
each_change = pytest.mark.parametrize("words", CHANGES.values(), ids=CHANGES)


@pytest.fixture
def plain(run: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Plain:
    write(tmp_path / "right.tar.zst", tar(members(RIGHT)))
    monkeypatch.chdir(tmp_path)
    return Plain(run.data)


@pytest.fixture
def read_only(run: Command, plain: Plain) -> Iterator[Path]:
    with unmounted_at_the_end(run.data):
        subprocess.run(["mount", "--bind", run.data, run.data], check=True)
        subprocess.run(["mount", "-o", "remount,bind,ro", run.data], check=True)
        yield run.data


@needs_root
@each_change
def test_a_read_only_volume_is_said(words: list[str], run: Command, read_only: Path) -> None:
    before = state_of(run.data)
    assert "mount it for writing" in run.refused(*words, code=2)
    assert state_of(run.data) == before


@needs_root
def test_a_read_only_volume_can_be_archived_and_tried(run: Command, read_only: Path) -> None:
    run.done("archive", COURSE, "a.tar.zst")
    Path("a.tar.zst").unlink()
    before = state_of(run.data)
    for words in CHANGES.values():
        run.done(*words, "--dry-run")
    assert state_of(run.data) == before


@needs_root
@each_change
def test_root_leaves_the_volume_of_somebody_else_alone(words: list[str], run: Command, plain: Plain) -> None:
    private = run.data / ".ngshare"
    private.mkdir()
    os.chown(private, 65534, 65534)
    before = state_of(run.data)
    assert "setpriv --reuid=65534" in run.refused(*words, code=2)
    assert state_of(run.data) == before


@pytest.mark.parametrize("words", [CHANGES["archive"], CHANGES["course rename"], CHANGES["user rename"]])
def test_a_lock_that_somebody_holds_is_said(
    words: list[str], run: Command, plain: Plain, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ngshare_fs.store.volume.Locks", partial(Locks, timeout=0.02))
    locks = run.data / ".ngshare" / "locks"
    locks.mkdir(parents=True)
    digest = hashlib.blake2b(f"course\0{COURSE}".encode(), digest_size=8).digest()
    with (locks / f"{int.from_bytes(digest, 'big') % LOCK_FILES:04}.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        before = state_of(run.data)
        ended = run(*words)
        assert ended.code == 1
        assert "somebody else held a lock of the volume for too long: run this again" in ended.err
        assert state_of(run.data) == before
    assert plain.course.is_dir()
