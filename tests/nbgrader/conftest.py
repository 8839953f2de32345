"""A course with a teacher and two students, all of whom use nbgrader with the plug-ins."""

import json
import shutil
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import pytest

from examples.whole_cycle import environments
from tests import servers
from tests.nbgrader.people import Person

COURSE = "NBG 101+ü"
ASSIGNMENT = "Übung 1"
NOTEBOOK = (
    '{"cells": [], "metadata": {"kernelspec": {"name": "python3", "display_name": "p", "language": "python"}},'
    ' "nbformat": 4, "nbformat_minor": 5}'
)


@dataclass
class School:
    """A course with an assignment that is ready to be released."""

    server: servers.Server
    volume: Path
    teacher: Person
    zoë: Person
    max: Person

    @property
    def submitted(self) -> Path:
        return self.teacher.home / "submitted"

    def stored(self, pattern: str) -> list[Path]:
        """Files of the assignment on the server's volume, sorted by path."""
        assignment = self.volume / "courses" / COURSE / "assignments" / ASSIGNMENT
        return sorted(assignment.glob(pattern))

    def release_and_fetch(self) -> None:
        self.teacher.run("release_assignment", ASSIGNMENT)
        for student in (self.zoë, self.max):
            student.run("fetch_assignment", ASSIGNMENT)


def _post(url: str, **fields: str) -> None:
    body = "&".join(f"{name}={quote(value)}" for name, value in {"user": "root", **fields}.items()).encode()
    with urllib.request.urlopen(url, body) as answer:
        assert json.load(answer)["success"]


EmptyServer = Callable[[], tuple[servers.Server, Path]]


@pytest.fixture(scope="session")
def empty_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmptyServer]:
    """Gives a server and its volume, emptied by hand: those of the test before, unless that has stopped the server."""
    with ExitStack() as running:
        latest: list[tuple[servers.Server, Path]] = []

        def empty() -> tuple[servers.Server, Path]:
            if not latest or latest[-1][0].process.poll() is not None:
                volume = tmp_path_factory.mktemp("school") / "volume"
                latest.append((running.enter_context(servers.running(volume)), volume))
            server, volume = latest[-1]
            for folder in (*volume.glob("courses/*"), *volume.glob("trash/*")):
                shutil.rmtree(folder)
            return server, volume

        yield empty


@pytest.fixture
def school(tmp_path: Path, empty_server: EmptyServer) -> Iterator[School]:
    programs = environments.for_plug_ins()
    server, volume = empty_server()
    said_before = len(server.log)
    _post(server.url + "course/" + quote(COURSE), instructors='["teacher"]')
    for student in ("zoë@uni.example", "max"):
        path = f"student/{quote(COURSE)}/{quote(student)}"
        _post(server.url + path, first_name="", last_name="", email="")
    people = [Person(name, tmp_path / name, programs, server.url) for name in ("teacher", "zoë@uni.example", "max")]
    for person in people:
        with (person.home / ".jupyter/nbgrader_config.py").open("a") as file:
            file.write(f"c.CourseDirectory.course_id = {COURSE!r}\n")
            # Their notebooks have no cells: autograding would start a kernel for each, for nothing.
            file.write("c.Execute.enabled = False\n")
    made = School(server, volume, *people)
    release = made.teacher.home / "release" / ASSIGNMENT
    (release / "data").mkdir(parents=True)
    (release / "problem 1.ipynb").write_text(NOTEBOOK)
    (release / "data/größe m².csv").write_bytes(b"1,2\xff\n")
    source = made.teacher.home / "source" / ASSIGNMENT
    source.mkdir(parents=True)
    (source / "problem 1.ipynb").write_text(NOTEBOOK)
    yield made
    assert "Traceback" not in server.log[said_before:]
    assert not [path for person in people for path in person.home.rglob(".ngshare-fs-*")]
