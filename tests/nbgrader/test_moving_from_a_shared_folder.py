"""From nbgrader's own exchange to the server and back, by nbgrader's own commands, each as a user of the system."""

import json
import os
import shutil
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from examples.whole_cycle import environments
from ngshare_fs.command.main import main
from tests import servers
from tests.nbgrader.people import CONFIGURATION, Person
from tests.nbgrader.test_a_course_of_several_graders import as_user, public
from tests.verifying import codes

__all__ = ["public"]

pytestmark = [pytest.mark.others, pytest.mark.long]

COURSE = "NBG 101"
PS1 = "Übung 1"
NOTEBOOK = (
    '{"cells": [], "metadata": {"kernelspec": {"name": "python3", "display_name": "p", "language": "python"}},'
    ' "nbformat": 4, "nbformat_minor": 5}'
)
# Users that every Debian has; nbgrader wants their names.
TEACHER, FIRST, SECOND = ("games", 5), ("mail", 8), ("news", 9)
OWN_EXCHANGE = "c = get_config()\nc.Exchange.root = {root!r}\n"


@dataclass
class Room:
    """A teacher and two students, who hand in wherever they are told to."""

    place: Path
    teacher: Person
    first: Person
    second: Person

    @property
    def people(self) -> tuple[Person, Person, Person]:
        return self.teacher, self.first, self.second

    def use(self, configuration: str, url: str = "") -> None:
        for person in self.people:
            file = person.home / ".jupyter/nbgrader_config.py"
            file.write_text(f"{configuration}\nc.CourseDirectory.course_id = {COURSE!r}\n")
            person.environment["NGSHARE_URL"] = url

    def use_folder(self, root: Path) -> None:
        self.use(OWN_EXCHANGE.format(root=str(root)))

    def grade(self, student: Person, said: str) -> None:
        """What `collect` has fetched becomes feedback, as `generate_feedback` leaves it."""
        submitted = self.teacher.home / "submitted" / student.name / PS1
        feedback = self.teacher.home / "feedback" / student.name / PS1
        shutil.rmtree(feedback, ignore_errors=True)
        feedback.mkdir(parents=True)
        for name in ("timestamp.txt", "submission_secret.txt"):
            if (submitted / name).exists():
                shutil.copy(submitted / name, feedback)
        (feedback / "problem1.html").write_text(said)
        self.own(self.teacher)

    @staticmethod
    def own(person: Person) -> None:
        user = {name: number for name, number in (TEACHER, FIRST, SECOND)}[person.name]
        for place in (person.home, *person.home.rglob("*")):
            os.chown(place, user, 60000)


@pytest.fixture
def room(public: Path) -> Room:
    people = []
    for name, user in (TEACHER, FIRST, SECOND):
        person = Person(name, public / name, environments.for_plug_ins(), "")
        person.prefix = as_user(user, 0o022)
        people.append(person)
    made = Room(public, *people)
    release = made.teacher.home / "release" / PS1
    release.mkdir(parents=True)
    (release / "problem1.ipynb").write_text(NOTEBOOK)
    for person in people:
        made.own(person)
    return made


def hand_in(student: Person, answer: str) -> None:
    (student.home / PS1 / "answer.txt").write_text(answer)
    student.run("submit", PS1)


def fetched(student: Person) -> list[str]:
    """The pages of feedback, in the order of the submissions that they are on."""
    return [page.read_text() for page in sorted(student.home.glob(f"{PS1}/feedback/*/problem1.html"))]


def test_there_and_back(room: Room, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    teacher, first, second = room.people
    before, after, data = room.place / "exchange", room.place / "exchange again", tmp_path / "data"
    before.mkdir()
    before.chmod(0o777)

    # With nbgrader's own exchange.
    room.use_folder(before)
    teacher.run("release_assignment", PS1)
    for student in (first, second):
        student.run("fetch_assignment", PS1)
        hand_in(student, "1")
    hand_in(first, "2")
    teacher.run("collect", PS1)
    room.grade(first, "good")
    teacher.run("release_feedback", PS1)
    first.run("fetch_feedback", PS1)
    assert fetched(first) == ["good"]
    kept = {student.name: sorted(student.listed("--cached")) for student in (first, second)}

    # Taken over.
    words = ["--exchange", str(before), "--data", str(data), "--instructors", teacher.name, "--json"]
    assert main(["import", "nbgrader", *words]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["problems"] == []  # whose folders they are as well
    [course] = document["courses"]
    assert [course[kind]["new"] for kind in ("people", "releases", "submissions", "feedback")] == [3, 1, 3, 1]
    assert codes(data) == []

    # With the plug-ins.
    with ExitStack() as stack:
        server = stack.enter_context(servers.running(data))
        room.use(CONFIGURATION, server.url)
        assert {student.name: sorted(student.listed("--cached")) for student in (first, second)} == kept
        shutil.rmtree(first.home / PS1 / "feedback")
        first.run("fetch_feedback", PS1)
        assert fetched(first) == ["good"]
        # What was collected before gets its feedback now; what is handed in now, too.
        room.grade(second, "well done")
        teacher.run("release_feedback", PS1)
        second.run("fetch_feedback", PS1)
        assert fetched(second) == ["well done"]
        hand_in(second, "2")
        teacher.run("collect", PS1, "--update")
        assert (teacher.home / "submitted" / second.name / PS1 / "answer.txt").read_text() == "2"
        room.grade(second, "better")
        teacher.run("release_feedback", PS1)

    # And back.
    words = ["--exchange", str(after), "--data", str(data), "--owner", teacher.name, "--json", COURSE]
    assert main(["export", "nbgrader", *words]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["problems"] == []
    [course] = document["courses"]
    assert [course[kind]["new"] for kind in ("releases", "submissions", "feedback")] == [1, 4, 3]

    room.use_folder(after)
    assert len(teacher.listed("--inbound")) == 4
    shutil.rmtree(teacher.home / "submitted")
    said = teacher.run("collect", PS1)
    assert "cheating" not in said
    assert (teacher.home / "submitted" / second.name / PS1 / "answer.txt").read_text() == "2"
    # Handed in by way of the server, it has no secret in the student's cache, and its page is found.
    shutil.rmtree(second.home / PS1 / "feedback")
    second.run("fetch_feedback", PS1)
    assert fetched(second) == ["better"]
    # What was handed in before the move has another secret there.
    shutil.rmtree(first.home / PS1 / "feedback")
    assert "Could not find feedback" in first.run("fetch_feedback", PS1)
    assert fetched(first) == []
    for secret in first.cache.glob(f"{COURSE}/*/submission_secret.txt"):
        secret.unlink()
    first.run("fetch_feedback", PS1)
    assert fetched(first) == ["good"]
    # All goes on.
    shutil.rmtree(first.home / PS1)
    first.run("fetch_assignment", PS1)
    hand_in(first, "3")
    teacher.run("collect", PS1, "--update")
    room.grade(first, "best")
    room.grade(second, "better")  # with the new secret, without which release_feedback breaks off
    teacher.run("release_feedback", PS1)
    first.run("fetch_feedback", PS1)
    assert fetched(first) == ["good", "best"]
    teacher.run("release_assignment", PS1, "--force")
