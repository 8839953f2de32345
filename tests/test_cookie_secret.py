"""The secret that cookies are sealed with: made once for a volume, and a start says in a line why it cannot be."""

import itertools
import shutil
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ngshare_fs.store import Volume, secret
from ngshare_fs.store.errors import VolumeError
from ngshare_fs.store.format import layout


@pytest.fixture
def volume(tmp_path: Path) -> Iterator[Volume]:
    opened = Volume.open(tmp_path / "volume")
    yield opened
    opened.close()


@contextmanager
def before_flush(volume: Volume, number: int, action: Callable[[], None]) -> Iterator[None]:
    """Do something before a flush, by its number from 1."""
    honest, numbers = volume.flusher, itertools.count(1)

    class Before:
        while_open = honest.while_open

        def flush(self, files: list[str], folders: list[str]) -> None:
            if next(numbers) == number:
                action()
            honest.flush(files, folders)

        def close(self) -> None: ...

    volume.flusher = Before()
    try:
        yield
    finally:
        volume.flusher = honest


def test_it_is_made_once_for_nobody_else_to_read(volume: Volume) -> None:
    found = secret.cookie_secret(volume)
    other = Volume.join(volume.root)
    assert secret.cookie_secret(other) == found
    other.close()
    status = Path(volume.root, layout.COOKIE_SECRET).stat()
    assert stat.S_IMODE(status.st_mode) == 0o600
    assert list(Path(volume.root).glob(".ngshare/staging/*/*")) == []


@pytest.mark.parametrize("is_in_place", [False, True])
def test_one_that_cannot_be_made_is_told_in_a_line(volume: Volume, is_in_place: bool) -> None:
    private = Path(volume.root) / layout.PRIVATE
    moved = private.parent / "moved"

    def spoil() -> None:
        if is_in_place:
            private.rename(moved)
        else:
            shutil.rmtree(private.parent / layout.STAGING)

    told = r"cookie-secret: .* was (moved away|removed) while it was (stored|written); the server has to be able to"
    with before_flush(volume, 2 if is_in_place else 1, spoil), pytest.raises(VolumeError, match=told):
        secret.cookie_secret(volume)
    if is_in_place:
        moved.rename(private)
    assert len(secret.cookie_secret(volume)) == 64
