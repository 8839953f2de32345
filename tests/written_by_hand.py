"""Volumes that somebody wrote by hand: opened by the store, and served while they are edited."""

import hashlib
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from ngshare_fs.store import Volume
from ngshare_fs.store.format.timestamp import Timestamp
from ngshare_fs.store.reading.tree import Tree
from ngshare_fs.store.writing.upload import IncomingFile, Upload
from tests.conftest import Exchange, MakeExchange
from tests.trees import tree
from tests.volumes import ASSIGNMENT, COURSE, INSTRUCTOR, STUDENT, SUBMITTED, Plain, write_rich_volume

ON = Timestamp(SUBMITTED)
LATER = "2020-02-01 00:00:00.000000 UTC"


@pytest.fixture
def opened() -> Iterator[Callable[[Path], Volume]]:
    """Opens volumes, and closes them at the end."""
    volumes: list[Volume] = []

    def open_volume(root: Path) -> Volume:
        volumes.append(Volume.open(root))
        return volumes[-1]

    yield open_volume
    for volume in volumes:
        volume.close()


@pytest.fixture
def rich(tmp_path: Path, opened: Callable[[Path], Volume]) -> Volume:
    """The volume with whatever is legal."""
    return opened(write_rich_volume(tmp_path / "rich"))


@dataclass
class Served:
    """A small volume that somebody wrote by hand, served while it is edited."""

    exchange: Exchange
    plain: Plain

    @property
    def volume(self) -> Volume:
        """As the server has it open."""
        return self.exchange.volume

    @property
    def course_file(self) -> Path:
        """The file that is edited by hand."""
        return self.plain.course / "course.yaml"

    async def call(self, method: str, path: str, user: str, **fields: str) -> tuple[int, dict[str, Any]]:
        """Call an endpoint; gives status and answer."""
        answer = await self.exchange.call(method, path, user, **fields)
        return answer.status, answer.body

    async def students(self, user: str = INSTRUCTOR) -> list[str]:
        """The students of the course, in the order of the answer."""
        status, answer = await self.call("GET", f"students/{COURSE}", user)
        assert status == 200, answer
        return [student["username"] for student in answer["students"]]

    async def add(self, user: str) -> int:
        """Add a student through the API; gives the status."""
        fields = {"first_name": "A", "last_name": "B", "email": ""}
        return (await self.call("POST", f"student/{COURSE}/{user}", INSTRUCTOR, **fields))[0]

    async def hand_in(self) -> int:
        """Hand something in; gives the status."""
        files = tree({"p.ipynb": b"{}"})
        return (await self.call("POST", f"submission/{COURSE}/{ASSIGNMENT}", STUDENT, files=files))[0]


@pytest.fixture
async def served(tmp_path: Path, make_exchange: MakeExchange) -> Served:
    """A hand-built volume, served."""
    plain = Plain(tmp_path / "volume")
    return Served(await make_exchange(), plain)


def contents(stored: Tree | None) -> dict[str, bytes]:
    """The files of a tree; closes it."""
    assert stored is not None
    found = {}
    with stored:
        for file in stored.manifest.files:
            with os.fdopen(stored.open_file(file), "rb") as content:
                found[file.path] = content.read()
            assert hashlib.md5(found[file.path]).hexdigest() == file.md5
    return found


def handed_in(volume: Volume, content: bytes) -> Upload:
    """An upload of one file."""
    upload = volume.upload()
    upload.accept([IncomingFile("p", len(content), hashlib.md5(content).hexdigest(), content)])
    return upload
