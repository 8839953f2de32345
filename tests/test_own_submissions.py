"""`ngshare-fs submissions`: a student's own work comes back whole when the home is lost, or not at all."""

import json
import logging
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from ngshare_fs.exchange.connection.client import Client
from ngshare_fs.exchange.connection.exchange_api import ExchangeApi
from ngshare_fs.exchange.connection.server import Server
from ngshare_fs.exchange.sending.request_body import Body, LocalFile
from tests import commands, servers
from tests.faulty_proxy import LOST_ANSWER, Fault, faulty_proxy

COURSE, ASSIGNMENT = "NBG 101+ü", "Übung 1"
WORK = ({"p.ipynb": b"{}"}, {"p.ipynb": b'{"cells": []}', "data/größe m².csv": b"1;2\n\xff" * 70_000, "empty": b""})


@dataclass
class Handed:
    """A server to which `ann` has handed in twice, and the volume of it."""

    url: str
    volume: Path
    home: Path
    timestamps: list[str]

    def run(self, *words: str, user: str = "ann", url: str = "", fails: bool = False) -> str:
        """Run the command at an empty home; give what it printed."""
        environment = {**os.environ, "NGSHARE_URL": url or self.url, "NGSHARE_USER": user, "LC_ALL": "C.UTF-8"}
        done = commands.run("submissions", *words, folder=self.home, environment=environment, apart=False)
        assert done.returncode == (1 if fails else 0), done.stdout
        assert "Traceback" not in done.stdout
        return done.stdout


def api(url: str, user: str) -> ExchangeApi:
    return ExchangeApi(Client(Server(url, f"user:{user}", user, standalone=True), 30, logging.getLogger("test")))


def files_of(tree: dict[str, bytes], folder: Path) -> list[LocalFile]:
    for path, content in tree.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)
    return [LocalFile(path, str(folder / path), len(content)) for path, content in tree.items()]


def tree_in(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def handed(tmp_path: Path) -> Iterator[Handed]:
    volume, home = tmp_path / "volume", tmp_path / "home"
    home.mkdir()
    with servers.running(volume) as server:
        root = Client(Server(server.url, "user:root", "root", standalone=True), 5, logging.getLogger("test"))
        root.call("POST", "course", COURSE, body=Body({"instructors": '["teacher"]'}))
        people = [{"username": name, "first_name": "", "last_name": "", "email": ""} for name in ("ann", "bob")]
        root.call("POST", "students", COURSE, body=Body({"students": json.dumps(people)}))
        api(server.url, "teacher").release(COURSE, ASSIGNMENT, files_of(WORK[0], tmp_path / "release"), {})
        timestamps = []
        for number, tree in enumerate(WORK):
            files = files_of(tree, tmp_path / f"work{number}")
            receipt = api(server.url, "ann").submit(COURSE, ASSIGNMENT, files, f"k{number}", None)
            timestamps.append(receipt["timestamp"])
        yield Handed(server.url, volume, home, timestamps)
    assert not list(home.glob(".ngshare-fs-*"))


def test_what_was_handed_in_is_listed(handed: Handed) -> None:
    lines = [f"{COURSE}  {ASSIGNMENT}  {timestamp}" for timestamp in handed.timestamps]
    assert handed.run("list").splitlines() == lines
    assert handed.run("list", COURSE, ASSIGNMENT).splitlines() == lines
    assert "You have handed in nothing there." in handed.run("list", COURSE, "other")
    assert "You have handed in nothing there." in handed.run("list", user="bob")
    assert "You have handed in nothing there." in handed.run("list", user="teacher")
    files = files_of({"p.html": b"good"}, handed.home / "pages")
    api(handed.url, "teacher").give_feedback(COURSE, ASSIGNMENT, "ann", handed.timestamps[1], files)
    entries = json.loads(handed.run("list", "--json"))
    assert [(entry["timestamp"], entry["has_feedback"]) for entry in entries] == [
        (handed.timestamps[0], False),
        (handed.timestamps[1], True),
    ]
    assert handed.run("list").splitlines()[1].endswith("  (with feedback)")


@pytest.mark.parametrize("taken_back", [False, True])
def test_it_comes_back_as_it_was(handed: Handed, taken_back: bool) -> None:
    if taken_back:
        api(handed.url, "teacher").withdraw(COURSE, ASSIGNMENT)
    said = handed.run("fetch", COURSE, ASSIGNMENT)
    assert f"Fetched what you handed in at {handed.timestamps[1]}: 3 files, in {handed.home / ASSIGNMENT}" in said
    assert tree_in(handed.home / ASSIGNMENT) == WORK[1]
    for timestamp in (handed.timestamps[0], handed.timestamps[0].removesuffix(" UTC")):
        handed.run("fetch", COURSE, f"{ASSIGNMENT}/", "--timestamp", timestamp, "--to", f"old/{len(timestamp)}")
        assert tree_in(handed.home / "old" / str(len(timestamp))) == WORK[0]


@pytest.mark.parametrize("kind", ["file", "folder", "link"])
def test_what_is_there_stays(handed: Handed, kind: str) -> None:
    place = handed.home / ASSIGNMENT
    if kind == "file":
        place.write_text("mine")
    elif kind == "folder":
        place.mkdir()
    else:
        place.symlink_to("nowhere")
    said = handed.run("fetch", COURSE, ASSIGNMENT, fails=True)
    assert f"There is a {place} already, which stays as it is" in said
    assert place.is_symlink() or place.is_dir() or place.read_text() == "mine"


def test_it_comes_whole_or_not_at_all(handed: Handed) -> None:
    with faulty_proxy(handed.url) as proxy:
        proxy.faults += [Fault(forward=True, send=2**40), LOST_ANSWER, Fault(forward=True, send=1000)]
        handed.run("fetch", COURSE, ASSIGNMENT, url=proxy.url)
    assert tree_in(handed.home / ASSIGNMENT) == WORK[1]
    pattern = f"courses/{COURSE}/assignments/{ASSIGNMENT}/submissions/ann/*/files/p.ipynb"
    for stored in handed.volume.glob(pattern):
        stored.write_bytes(stored.read_bytes().replace(b"{", b"["))
    said = handed.run("fetch", COURSE, ASSIGNMENT, "--to", "again", fails=True)
    assert "p.ipynb was damaged on the way: its checksum does not match" in said
    assert not (handed.home / "again").exists()


def test_every_failure_is_said(handed: Handed) -> None:
    assert "Submission not found" in handed.run("fetch", COURSE, ASSIGNMENT, user="bob", fails=True)
    assert "Assignment not found" in handed.run("fetch", COURSE, "other", fails=True)
    assert "Course not found" in handed.run("fetch", "other", ASSIGNMENT, fails=True)
    said = handed.run("fetch", COURSE, ASSIGNMENT, "--timestamp", "yesterday", fails=True)
    assert "Submission not found" in said
    assert "cannot be a folder's name" in handed.run("fetch", COURSE, "..", fails=True)
    handed.home.chmod(0o500)
    try:
        if not os.access(handed.home, os.W_OK):
            assert "Permission denied. Nothing was fetched." in handed.run("fetch", COURSE, ASSIGNMENT, fails=True)
    finally:
        handed.home.chmod(0o700)


def test_an_older_server_gives_it_to_instructors_only(handed: Handed) -> None:
    refusal = b'{"success": false, "message": "Permission denied"}'
    with faulty_proxy(handed.url) as proxy:
        proxy.faults += [Fault(forward=True, send=2**40), Fault(status=403, body=refusal)]
        said = handed.run("fetch", COURSE, ASSIGNMENT, url=proxy.url, fails=True)
    assert "it is an older exchange, which gives submissions to instructors only" in said
    assert not list(handed.home.iterdir())


def test_a_stand_alone_server_is_told_as_whom(handed: Handed) -> None:
    assert handed.timestamps[-1] in handed.run("list", "--user", "ann", user="somebody")
    assert handed.timestamps[-1] not in handed.run("list", user="somebody")


def test_a_folder_whose_name_no_terminal_shows(handed: Handed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONIOENCODING", "utf-8:strict")  # as in most people's languages
    folder = os.fsdecode(b"found \xff\n")
    assert "found \\udcff\\n" in handed.run("fetch", COURSE, ASSIGNMENT, "--to", folder)
    assert tree_in(handed.home / folder) == WORK[-1]
