"""The journal on a real disk that is full, or read-only: what it says stays readable, and nobody fails with it."""

import contextlib
from pathlib import Path

import pytest

from ngshare_fs.store import Volume, journal
from ngshare_fs.store.journal import BrokenLine, Entry, Event, record
from tests.durability.disks import EXT4, MIB, mount, mounted, skip_unless_possible

pytestmark = pytest.mark.durability

SIZE = 8 * MIB


def events(volume: Volume) -> tuple[list[str], list[BrokenLine]]:
    """What is in the journal, and what of it is broken."""
    found = [each for file in journal.files(volume) for each in journal.entries_in(volume, file.place)]
    whole = [each.event.detail for each in found if isinstance(each, Entry)]
    return whole, [each for each in found if isinstance(each, BrokenLine)]


def test_on_a_full_disk_no_line_is_joined_with_a_torn_one(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    skip_unless_possible(EXT4)
    image = tmp_path / "image"
    EXT4.make(image, SIZE)
    with mounted(image, tmp_path / "disk") as disk, contextlib.closing(Volume.open(disk / "volume")) as volume:
        for number in range(10):
            record(volume, Event("submit", "lawrence", "api", "c", detail=str(number)))
        filler = disk / "filler"
        with contextlib.suppress(OSError), filler.open("wb", buffering=0) as file:
            while True:
                file.write(b"x" * 4096)
        number = 10
        while not caplog.records:
            record(volume, Event("submit", "lawrence", "api", "c", detail=str(number)))
            number += 1
        record(volume, Event("submit", "lawrence", "api", "another course"))
        assert [each.getMessage().partition(":")[0] for each in caplog.records] == [
            "the journal cannot be written, lines will be missing in it"
        ]
        filler.unlink()
        for last in ("one", "two"):
            record(volume, Event("submit", "lawrence", "api", "c", detail=last))
        whole, broken = events(volume)
    assert whole == [*map(str, range(number - 1)), "one", "two"]
    assert len(broken) <= 1  # where a part of the line found room
    assert caplog.records[1].getMessage() == "the journal is written again; 2 lines are missing in it"


def test_on_a_volume_that_turned_read_only_it_is_said_and_read(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    skip_unless_possible(EXT4)
    image = tmp_path / "image"
    EXT4.make(image, SIZE)
    with mounted(image, tmp_path / "disk") as disk:
        volume = Volume.open(disk / "volume")
        record(volume, Event("submit", "lawrence", "api", "c", detail="before"))
        volume.close()
        mount(image, disk, "remount,ro")
        looking = Volume.read_only(disk / "volume")
        record(looking, Event("submit", "lawrence", "api", "c"))
        record(looking, Event("submit", "lawrence", "api", "d"))
        assert [each.getMessage().rpartition(": ")[2] for each in caplog.records] == ["Read-only file system"]
        assert events(looking) == (["before"], [])
        looking.close()
        mount(image, disk, "remount,rw")
