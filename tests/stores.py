"""A volume with an assignment, used without HTTP."""

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ngshare_fs.store import Volume, course, release, submission
from ngshare_fs.store.format.timestamp import Timestamp
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


@contextmanager
def beside_the_next_flush(
    volume: Volume, action: Callable[[], None], times: int = 1, is_done: bool = False
) -> Iterator[None]:
    """Do something while the volume is flushed, or directly after that, so many times."""
    honest, left = volume.flusher, [None] * times

    class Beside:
        while_open = honest.while_open

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
