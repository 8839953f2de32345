"""A lock that is lost while it is held, as by a machine that slept too long: whoever has it then is not overwritten.

The volume is on a local disk and taken for a shared one. A lock is taken away as a file server does it: it is free for
others, and what is written through the descriptor of the one who had it fails.
"""

import contextlib
import os
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from ngshare_fs.command.operator.failures import reason
from ngshare_fs.formats.civil_time import moment_in
from ngshare_fs.http.refusals import BUSY, OF_STORE_ERROR
from ngshare_fs.store import (
    LastCheck,
    Person,
    Submission,
    Volume,
    VolumeError,
    dates,
    release,
    roster,
    submission,
)  # fmt: skip
from ngshare_fs.store.errors import LockLost, LockTimeout
from ngshare_fs.store.format import layout
from ngshare_fs.store.migrations import table, upgrade
from ngshare_fs.store.migrations.workplace import Workplace
from ngshare_fs.store.writing.locks import Locks
from tests import made_up_layout
from tests.stores import hand_in, upload, volume
from tests.volumes import Plain

__all__ = ["volume"]

# Nothing can be written through a descriptor of it: EIO, as on NFS.
LOST = "/proc/self/mem"
# Nor can its lock be released: EBADF, as on GlusterFS.
LOST_FOR_GOOD = "/"
# What is written there is taken, and cannot be flushed.
LOST_AT_THE_FLUSH = "/dev/null"
FULL = "/dev/full"


def files_of_locks(root: str | Path) -> list[Path]:
    return [file for file in Path(root, layout.LOCKS).iterdir() if re.fullmatch(r"(\d{4}|upgrade)\.lock", file.name)]


def take_away(root: str | Path, instead: str = LOST) -> None:
    """Let the one lock that this process holds be lost."""
    held = []
    for number in os.listdir("/proc/self/fd"):
        with contextlib.suppress(FileNotFoundError):  # that of the list itself
            if Path(os.readlink(f"/proc/self/fd/{number}")) in files_of_locks(root):
                held.append(int(number))
    (descriptor,) = held
    opened = os.open(instead, os.O_PATH if instead == LOST_FOR_GOOD else os.O_RDWR)
    os.dup2(opened, descriptor, inheritable=False)
    os.close(opened)


def at_the_last_look(volume: Volume, action: Callable[[], object] = lambda: None) -> LastCheck:
    """Once all is staged, directly before the rename, let the lock be lost and do something else."""
    left = [action]

    def last_check() -> None:
        if left and any((*Path(volume.root).glob(".ngshare/staging/*/*"), *Path(volume.root).glob("trash/*"))):
            take_away(volume.root)
            left.pop()()

    return last_check


@pytest.fixture
def on_network(volume: Volume) -> Volume:
    volume.locks = Locks(os.path.join(volume.root, layout.LOCKS), can_be_lost=True)
    return volume


@pytest.fixture
def other(volume: Volume) -> Iterator[Volume]:
    """The same volume as a server on another machine has it."""
    opened = Volume.join(volume.root)
    opened.locks = Locks(os.path.join(volume.root, layout.LOCKS), timeout=0.05, can_be_lost=True)
    yield opened
    opened.close()


def test_a_roster_that_somebody_else_changed_meanwhile_is_not_overwritten(on_network: Volume, other: Volume) -> None:
    change = at_the_last_look(on_network, lambda: roster.set_student(other, "c", "theirs", Person()))
    with pytest.raises(LockLost, match="the lock of course c was lost while it was held"):
        roster.set_student(on_network, "c", "ours", Person(), change)
    assert set(roster.of(other, "c").students) == {"theirs"}
    roster.set_student(on_network, "c", "ours", Person())
    assert set(roster.of(other, "c").students) == {"theirs", "ours"}


def test_without_that_look_the_other_change_would_be_gone(volume: Volume, other: Volume) -> None:
    """What the other tests rely on: this is the moment at which a lost lock does harm."""
    change = at_the_last_look(volume, lambda: roster.set_student(other, "c", "theirs", Person()))
    roster.set_student(volume, "c", "ours", Person(), change)
    assert set(roster.of(other, "c").students) == {"ours"}


def test_dates_that_somebody_else_set_meanwhile_are_not_overwritten(on_network: Volume, other: Volume) -> None:
    early, late = (moment_in(f"{year}-01-01", "UTC") for year in (2031, 2032))
    change = at_the_last_look(on_network, lambda: dates.change(other, "c", "a", {"due": early}))
    with pytest.raises(LockLost):
        dates.change(on_network, "c", "a", {"close": late}, change)
    file = dates.written(other, "c", "a")
    assert (file.due, file.close) == (early, None)


def test_no_tree_is_put_before_one_that_is_acknowledged(on_network: Volume, other: Volume) -> None:
    theirs: list[Submission] = []
    handed_in = at_the_last_look(on_network, lambda: theirs.append(Submission("lawrence", hand_in(other, "lawrence"))))
    with upload(on_network, f=b"ours") as work, pytest.raises(LockLost):
        submission.submit(on_network, "c", "a", "lawrence", work, last_check=handed_in)
    assert submission.submissions_by(other, "c", "a", "lawrence") == theirs
    with upload(on_network, f=b"2") as work, pytest.raises(LockLost):
        release.release_again(on_network, "c", "a", "kevin", work, last_check=at_the_last_look(on_network))
    assert list(Path(on_network.root, layout.STAGING).glob("*/*")) == []


def test_what_should_be_deleted_under_a_lock_stays(on_network: Volume) -> None:
    moment = hand_in(on_network, "lawrence")
    with on_network.locks.hold("publish", "/somewhere"), pytest.raises(LockLost):
        submission.delete(on_network, "c", "a", "lawrence", moment, "kevin", at_the_last_look(on_network))
    assert submission.submissions_by(on_network, "c", "a", "lawrence") == [Submission("lawrence", moment)]
    assert os.listdir(os.path.join(on_network.root, layout.TRASH)) == []


@pytest.mark.parametrize("instead", [LOST, LOST_AT_THE_FLUSH, LOST_FOR_GOOD])
def test_a_lock_that_is_lost_is_told_and_can_be_had_again(
    on_network: Volume, other: Volume, instead: str, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(2):
        with on_network.locks.hold("course", "c"):
            with pytest.raises(LockTimeout), other.locks.hold("course", "c"):
                pass
            on_network.locks.check_held()
            take_away(on_network.root, instead)
            with pytest.raises(LockLost) as lost:
                on_network.locks.check_held()
    assert "did not reach the volume's file server" in caplog.text
    assert "nothing was changed, run this again" in reason(lost.value)
    assert OF_STORE_ERROR[LockLost] is BUSY
    on_network.locks.check_held()  # nothing is held


def test_a_full_volume_is_told_as_such(on_network: Volume) -> None:
    with on_network.locks.hold("course", "c"):
        take_away(on_network.root, FULL)
        with pytest.raises(OSError, match="No space left"):
            on_network.locks.check_held()


def test_on_a_local_disk_nothing_is_looked_at(volume: Volume) -> None:
    roster.set_student(volume, "c", "lawrence", Person())
    hand_in(volume, "lawrence")
    assert {file.stat().st_size for file in files_of_locks(volume.root)} == {0}
    with volume.locks.hold("course", "c"):
        take_away(volume.root)
        volume.locks.check_held()


def test_whatever_the_volume_publishes_is_looked_at(on_network: Volume) -> None:
    place = os.path.join(on_network.root, "courses", "folder")
    with on_network.locks.hold("course", "folder"):
        take_away(on_network.root)
        with on_network.publishing() as publication:
            publication.dirty.make_folder(publication.staged)
            with pytest.raises(LockLost):
                publication.publish(place)
        with pytest.raises(LockLost), on_network.publication(place) as taking:
            taking.take(place)
    assert not os.path.lexists(place)


def test_an_upgrade_that_lost_its_lock_leaves_the_rest_to_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made_up_layout.prepare(monkeypatch)
    monkeypatch.setattr(upgrade, "is_local", lambda _: False)
    file = Plain(tmp_path / "old").course / "course.yaml"
    before = file.read_bytes()

    def begin_to(place: Workplace) -> None:
        take_away(place.root)
        made_up_layout.apply(place)

    migrations = table.MIGRATIONS
    monkeypatch.setattr(table, "MIGRATIONS", (*migrations[:-1], replace(migrations[-1], apply=begin_to)))
    with pytest.raises(VolumeError, match=r"the lock upgrade\.lock was lost .*: another machine may go on"):
        Volume.open(tmp_path / "old")
    assert file.read_bytes() == before
    assert (tmp_path / "old/ngshare.yaml").read_text() != "layout: 3\n"
    monkeypatch.setattr(table, "MIGRATIONS", migrations)
    Volume.open(tmp_path / "old").close()
    assert b"term: spring" in file.read_bytes()
    assert (tmp_path / "old/ngshare.yaml").read_text() == "layout: 3\n"
