"""The write path by itself: what is flushed before a rename and after it, what is asked in between, what is left."""

import fcntl
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ngshare_fs.store import Volume
from ngshare_fs.store.errors import CourseExists, Interrupted, VolumeFailure
from ngshare_fs.store.format.layout import KnownFolder
from ngshare_fs.store.writing.publication import Publication


class Noted:
    """What is flushed, and what was at the place by then; it all fails where the disk does."""

    while_open = False

    def __init__(self, place: Path) -> None:
        self._place = place
        self.flushes: list[tuple[set[str], bool]] = []
        self.fails = False

    def flush(self, files: list[str], folders: list[str]) -> None:
        assert all(map(os.path.isfile, files))
        for folder in folders:
            os.stat(folder)
        self.flushes.append(({*files, *folders}, self._place.exists()))
        if self.fails:
            raise OSError("the disk is broken")

    def close(self) -> None: ...


@pytest.fixture
def volume(tmp_path: Path) -> Iterator[Volume]:
    opened = Volume.open(tmp_path / "volume")
    honest = opened.flusher
    yield opened
    opened.flusher = honest
    opened.close()


@pytest.fixture
def place(volume: Volume) -> Path:
    return Path(volume.root) / "courses/folder/tree"


@pytest.fixture
def noted(volume: Volume, place: Path) -> Noted:
    volume.flusher = noted = Noted(place)
    return noted


def left(volume: Volume) -> list[Path]:
    return list(Path(volume.root).glob(".ngshare/staging/*/*"))


def stage(publication: Publication) -> set[str]:
    """A tree of one file; gives what has to be flushed of it."""
    file = f"{publication.staged}/file"
    publication.dirty.make_folder(publication.staged)
    publication.dirty.write_file(file, b"content")
    return {publication.staged, file}


def publish(volume: Volume, place: Path, then: Callable[[], object] = lambda: None, **how: Any) -> None:
    """Stage a tree, and publish it; and then do something else, before the entries are flushed."""
    with volume.publishing() as publication:
        stage(publication)
        publication.publish(str(place), **how)
        then()


def test_content_is_flushed_before_the_rename_and_entries_after_it(volume: Volume, place: Path, noted: Noted) -> None:
    with volume.publishing() as publication:
        staged = stage(publication)
        publication.publish(str(place), makes_parent=True)
        assert noted.flushes == [(staged, False)]
        assert place.is_dir()
    # The folder's own entry as well, for it was made.
    assert noted.flushes[1:] == [({str(place.parent), str(place.parent.parent)}, True)]
    assert left(volume) == []


def test_a_part_is_published_and_the_rest_removed(volume: Volume, place: Path, noted: Noted) -> None:
    place.parent.mkdir()
    with volume.publishing() as publication:
        stage(publication)
        publication.publish(str(place), part=f"{publication.staged}/file")
    assert place.read_bytes() == b"content"
    assert noted.flushes[1:] == [({str(place.parent)}, True)]
    assert left(volume) == []


def test_what_forbids_it_is_asked_between_the_flush_and_the_rename(volume: Volume, place: Path, noted: Noted) -> None:
    place.parent.mkdir()
    above = KnownFolder.look(str(place.parent))
    asked = []

    def last_check() -> None:
        asked.append((len(noted.flushes), place.exists()))
        place.parent.rename(place.parent.parent / "moved")
        place.parent.mkdir()

    with pytest.raises(FileNotFoundError, match="removed or replaced"):
        publish(volume, place, above=above, last_check=last_check)
    assert asked == [(1, False)]
    assert list(place.parent.iterdir()) == []
    assert left(volume) == []


@pytest.mark.parametrize("is_file", [False, True])
def test_a_place_that_is_taken_stays_as_it_is(volume: Volume, place: Path, noted: Noted, is_file: bool) -> None:
    place.mkdir(parents=True)
    (place / "old").touch()
    if is_file:
        shutil.rmtree(place)
        place.touch()
    before = list(place.parent.rglob("*"))
    with pytest.raises(CourseExists):
        publish(volume, place, if_taken=CourseExists("c"))
    assert list(place.parent.rglob("*")) == before
    assert left(volume) == []


def test_a_flush_that_fails_publishes_nothing(volume: Volume, place: Path, noted: Noted) -> None:
    place.parent.mkdir()
    noted.fails = True
    with pytest.raises(OSError, match="broken"):
        publish(volume, place)
    assert not place.exists()
    assert left(volume) == []


def test_what_is_published_and_then_moved_may_be_there(volume: Volume, place: Path, noted: Noted) -> None:
    place.parent.mkdir()
    with pytest.raises(Interrupted, match="was moved away while it was stored"):
        publish(volume, place, then=lambda: place.parent.rename(place.parent.parent / "moved"))
    assert left(volume) == []


def test_what_is_not_published_is_removed(volume: Volume, noted: Noted) -> None:
    with volume.publishing() as publication:
        stage(publication)
    with volume.publishing() as publication:
        publication.dirty.write_file(publication.staged, b"a file")

    def give_up() -> None:
        with volume.publishing() as publication:
            publication.dirty.write_file(publication.staged, b"a file")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        give_up()
    assert left(volume) == []
    assert noted.flushes == []


def test_staging_that_somebody_removed_is_a_failure_of_the_volume(volume: Volume, place: Path, noted: Noted) -> None:
    place.parent.mkdir()

    def remove() -> None:
        for path in left(volume):
            shutil.rmtree(path)

    with pytest.raises(VolumeFailure, match="was removed while it was written"):
        publish(volume, place, last_check=remove)


def test_what_lies_there_already_has_its_entry_flushed(volume: Volume, place: Path, noted: Noted) -> None:
    place.mkdir(parents=True)
    with volume.publishing() as publication:
        publication.dirty.write_file(publication.staged, b"the same once more")
        publication.dirty.flush()
        publication.leave_to_earlier(str(place.parent))
    assert noted.flushes[1:] == [({str(place.parent)}, True)]
    assert left(volume) == []


@pytest.mark.parametrize("is_emptied", [False, True])
def test_what_is_taken_has_both_its_places_flushed(volume: Volume, place: Path, noted: Noted, is_emptied: bool) -> None:
    place.mkdir(parents=True)
    entry = Path(volume.root) / "trash/entry"
    with Publication(noted, str(entry)) as publication:
        staged = stage(publication)
        publication.take(str(place))
        assert noted.flushes == [(staged, True)]
        assert (entry / "tree").is_dir()
        if is_emptied:
            shutil.rmtree(entry)
    flushed = {str(place.parent)} if is_emptied else {str(place.parent), str(entry)}
    assert noted.flushes[1:] == [(flushed, False)]


@pytest.mark.parametrize("held_open", [True, False])
def test_where_others_would_wait_for_it_a_file_is_held_open_while_it_is_renamed(
    volume: Volume, place: Path, held_open: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    volume.renames_held_open = held_open
    modes: list[int] = []
    rename = os.rename

    def renamed(source: str, target: str) -> None:
        for number in os.listdir("/proc/self/fd"):
            if os.path.realpath(f"/proc/self/fd/{number}") == source:
                modes.append(fcntl.fcntl(int(number), fcntl.F_GETFL) & os.O_ACCMODE)
        rename(source, target)

    monkeypatch.setattr(os, "rename", renamed)
    file = Path(volume.root) / "courses/file"
    with volume.publishing() as publication:
        publication.dirty.write_file(publication.staged, b"content")
        publication.publish(str(file))
    assert modes == ([os.O_RDWR] if held_open else [])
    opened = len(os.listdir("/proc/self/fd"))
    publish(volume, place, makes_parent=True)  # a folder
    (place / "link").symlink_to("file")
    with volume.publication(str(place / "link")) as publication:
        publication.publish(str(file))
    assert file.is_symlink()
    with volume.publishing() as publication:
        publication.dirty.write_file(publication.staged, b"content")
        with pytest.raises(FileNotFoundError):
            publication.publish(str(place / "nowhere/file"))
    assert len(os.listdir("/proc/self/fd")) == opened
