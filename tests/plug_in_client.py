"""The client of nbgrader's plug-ins without nbgrader, and a server behind a proxy that fails as it is told."""

import hashlib
import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ngshare_fs.exchange.connection.client import Client
from ngshare_fs.exchange.connection.exchange_api import ExchangeApi
from ngshare_fs.exchange.connection.server import Server
from ngshare_fs.exchange.receiving.tree_in_answer import TreeInAnswer
from ngshare_fs.exchange.sending.request_body import Body
from tests import servers
from tests.faulty_proxy import FaultyProxy, faulty_proxy
from tests.local_files import checksums_of, files_in

COURSE, ASSIGNMENT = "NBG 101+ü", "ps1/…"


def api(url: str, user: str, patience: float = 30.0) -> ExchangeApi:
    return ExchangeApi(Client(Server(url, f"user:{user}", user, standalone=True), patience, logging.getLogger("test")))


def no_matter(old: str) -> str | None:
    """What is replaced is not to be kept."""
    return None


def folder_with(place: Path, files: dict[str, bytes]) -> str:
    for path, content in files.items():
        file = place / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    return str(place)


@pytest.fixture
def proxy(served: servers.Server, tmp_path: Path) -> Iterator[FaultyProxy]:
    """A proxy before a server with a course: `kevin` teaches, `lawrence` and `eric` take it."""
    root = Client(Server(served.url, "user:root", "root", standalone=True), 5, logging.getLogger("test"))
    root.call("GET", "initialize-Data6ase", query={"action": "clear"})
    root.call("POST", "course", COURSE, body=Body({"instructors": '["kevin"]'}))
    people = [
        {"username": name, "first_name": "", "last_name": "", "email": ""} for name in ("lawrence", "eric", "ann")
    ]
    root.call("POST", "students", COURSE, body=Body({"students": json.dumps(people)}))
    files = files_in(folder_with(tmp_path / "release", {"p.ipynb": b"{}"}))
    api(served.url, "kevin").release(COURSE, ASSIGNMENT, files, checksums_of(files))
    with faulty_proxy(served.url) as made:
        yield made


@pytest.fixture
def work(tmp_path: Path) -> str:
    return folder_with(tmp_path / "work", {"p.ipynb": b'{"cells": []}', "data/größe m².csv": b"1;2\n" * 70_000})


@pytest.fixture
def parts(tmp_path: Path) -> str:
    """Where contents arrive."""
    return folder_with(tmp_path / "parts", {"left over": b"of an attempt that failed"})


def checksum_of(place: str) -> str:
    return hashlib.md5(Path(place).read_bytes()).hexdigest()


def arrived(text: bytes | str, parts: str, size: int = 2**20) -> dict[str, Any]:
    """What the client makes of an answer that arrives in chunks."""
    data = text.encode() if isinstance(text, str) else text
    tree = TreeInAnswer(parts)
    for start in range(0, len(data), size):
        tree.feed(data[start : start + size])
    answer: dict[str, Any] = tree.finish()
    return answer


def entry(path: Any, content: Any = "YWI=", **more: Any) -> dict[str, Any]:
    return {"path": path, "content": content, **more}
