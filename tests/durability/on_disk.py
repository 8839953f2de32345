"""Compares a volume's folder with what has to be there, by `docs/volume-format.md` alone: none of the store's code."""

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from tests.durability.record import (
    Content,
    ExpectedAssignment,
    ExpectedCourse,
    Files,
    Model,
    Person,
    Write,
    content_of,
)
from tests.durability.workload import INSTRUCTOR
from tests.volumes import folder_of, folder_of_time

# All scalars are text, as the format says.
LOADER: Any = getattr(yaml, "CBaseLoader", yaml.BaseLoader)


@dataclass
class Look:
    """What a look at the volume found.

    Args:
        findings: what is not as it has to be; one line each.
        landed: the writes without an answer that are there nevertheless, with the timestamps of trees.
    """

    findings: list[str] = field(default_factory=list)
    landed: dict[int, str] = field(default_factory=dict)


def read_yaml(path: Path) -> Any:
    """A YAML file of the volume."""
    return yaml.load(path.read_bytes(), LOADER)


def look(data: Path, model: Model) -> Look:
    """Compare a volume with what has to be on it; nobody may be writing meanwhile."""
    return _Inspection(data, model).run()


class _Inspection:
    def __init__(self, data: Path, model: Model) -> None:
        self._data = data
        self._model = model
        self._look = Look()
        self._trash = self._read_trash()

    def run(self) -> Look:
        for course in self._model.courses.values():
            place = self._place(course, self._data / "courses", {"kind": "course", "course": course.name})
            if place is not None:
                self._course(course, place)
        known = {folder_of(name) for name in self._model.courses}
        for name in os.listdir(self._data / "courses"):
            if name not in known:
                self._complain(f"courses/{name} was made by nobody")
        return self._look

    def _complain(self, text: str) -> None:
        self._look.findings.append(text)

    def _found(self, write: Write, timestamp: str = "") -> None:
        if not self._model.is_sure(write):
            self._look.landed[write.number] = timestamp

    def _read_trash(self) -> list[tuple[dict[str, str], Path]]:
        """What was deleted; an entry without a folder is a deletion that was cut short and means nothing."""
        found = []
        for entry in sorted((self._data / "trash").iterdir()):
            inside = sorted(entry.iterdir())
            folders = [path for path in inside if path.is_dir()]
            if [path.name for path in inside if not path.is_dir()] not in ([], ["trash.yaml"]) or len(folders) > 1:
                self._complain(f"{entry} holds {inside}")
            if folders:
                found.append((read_yaml(entry / "trash.yaml"), folders[0]))
        return found

    def _place(self, thing: ExpectedCourse | ExpectedAssignment, parent: Path, said: dict[str, str]) -> Path | None:
        """Where a course or an assignment is: at its place or in the trash, never in both and never in neither."""
        here = parent / folder_of(thing.name)
        thrown = [
            folder
            for what, folder in self._trash
            if {key: value for key, value in what.items() if key not in ("by", "timestamp")} == said
        ]
        made = self._model.what_made(thing)
        places = ([here] if here.is_dir() else []) + thrown
        if len(places) > 1:
            self._complain(f"{said} is at {len(places)} places: {places}")
        if not places:
            if made is not None and self._model.is_sure(made):
                self._complain(f"lost: {made}")
            return None
        if made is not None:
            self._found(made)
        if thing.dropped is None and thrown:
            self._complain(f"{said} is in the trash, and nobody deleted it")
        elif thing.dropped is not None and thrown:
            self._found(thing.dropped)
        elif thing.dropped is not None and self._model.is_sure(thing.dropped):
            self._complain(f"deleted, and still there: {thing.dropped}")
        return places[0]

    def _course(self, course: ExpectedCourse, place: Path) -> None:
        if sorted(os.listdir(place)) != ["assignments", "course.yaml"]:
            self._complain(f"{place} holds {os.listdir(place)}")
            return
        document = read_yaml(place / "course.yaml")
        if document["course"] != course.name or list(document["instructors"]) != [INSTRUCTOR]:
            self._complain(f"{place}/course.yaml says {document['course']!r}, {document['instructors']}")
        students = {user: Person(**entry) for user, entry in (document["students"] or {}).items()}
        self._people(course, students)
        for assignment in course.assignments.values():
            said = {"kind": "assignment", "course": course.name, "assignment": assignment.name}
            found = self._place(assignment, place / "assignments", said)
            if found is not None:
                self._assignment(course, assignment, found)
        known = {folder_of(name) for name in course.assignments}
        for name in os.listdir(place / "assignments"):
            if name not in known:
                self._complain(f"{place}/assignments/{name} was released by nobody")

    def _people(self, course: ExpectedCourse, students: dict[str, Person]) -> None:
        agreeing: dict[int, set[bool]] = {}
        for user, writes in course.people.items():
            present = students.pop(user, None)
            allowed = [write.people[user] for write in writes]
            if not self._model.is_sure(writes[0]):
                allowed.append(None)
            if present not in allowed:
                self._complain(f"{course.name}: {user} is {present}, not one of {allowed}; {writes[-1]}")
            # They were sent one after the other: if a later one is there, so was this one.
            latest = max((index for index, write in enumerate(writes) if write.people[user] == present), default=-1)
            for index, write in enumerate(writes):
                agreeing.setdefault(write.number, set()).add(index <= latest)
        for number, answers in agreeing.items():
            if len(answers) > 1 and number in self._model.unsure:
                self._complain(f"half of a change of the roster is there, write {number}")
            if answers == {True} and number in self._model.unsure:
                self._look.landed[number] = ""
        if students:
            self._complain(f"{course.name}: nobody added {students}")

    def _assignment(self, course: ExpectedCourse, assignment: ExpectedAssignment, place: Path) -> None:
        self._sequence(place / "releases", assignment.releases)
        submissions = place / "submissions"
        for student, writes in assignment.submissions.items():
            folder = submissions / folder_of(student)
            self._sequence(folder, writes)
            for write in writes:
                moment = write.timestamp or self._look.landed.get(write.number)
                if moment:
                    given = assignment.feedback.get((student, moment), [])
                    self._sequence(folder / folder_of_time(moment) / "feedback", given)
        known = {folder_of(student) for student in assignment.submissions}
        for path in submissions.iterdir():
            if path.name not in known and any(path.iterdir()):
                self._complain(f"{path}: nobody handed in")
        odd = set(os.listdir(place)) - {"releases", "submissions"}
        if odd:
            self._complain(f"{place} holds {odd}")

    def _sequence(self, folder: Path, writes: list[Write]) -> None:
        """The trees in a folder are those that were handed in, in that order."""
        trees = sorted(folder.iterdir()) if folder.is_dir() else []
        documents = [self._manifest(tree) for tree in trees]
        position = 0
        for write in writes:
            if position < len(trees) and _is_of(documents[position], write):
                self._tree(trees[position], documents[position], write)
                self._found(write, documents[position]["timestamp"])
                position += 1
            elif self._model.is_sure(write):
                self._complain(f"lost: {write}; in {folder} are {[tree.name for tree in trees]}")
        for tree in trees[position:]:
            self._complain(f"{tree} was handed in by nobody, or in another order")

    def _manifest(self, tree: Path) -> dict[str, Any]:
        try:
            document = read_yaml(tree / "manifest.yaml")
        except (OSError, yaml.YAMLError) as error:
            self._complain(f"{tree}: {error}")
            return {}
        return document if isinstance(document, dict) else {}

    def _tree(self, tree: Path, document: dict[str, Any], write: Write) -> None:
        kind = "release" if write.kind == "release again" else write.kind
        said = {"kind": kind, "course": write.course, "assignment": write.assignment, "by": write.by}
        if write.student:
            said["student"] = write.student
        if write.submission:
            said["submission"] = write.submission
        said["timestamp"] = document.get("timestamp", "")
        differing = {key: value for key, value in document.items() if key != "files" and said.get(key) != value}
        if differing or tree.name != folder_of_time(said["timestamp"]):
            self._complain(f"{tree}: the manifest says {differing}; {write}")
        if write.timestamp and write.timestamp != said["timestamp"]:
            self._complain(f"{tree}: the answer said {write.timestamp}; {write}")
        if write.status == 404 and not tree.is_relative_to(self._data / "trash"):
            self._complain(f"{tree}: refused, and there nevertheless; {write}")
        inside = {"files", "manifest.yaml"} | ({"feedback"} if kind == "submission" else set())
        if not set(os.listdir(tree)) <= inside:
            self._complain(f"{tree} holds {os.listdir(tree)}")
        present = dict(_contents(tree / "files"))
        if present != dict(write.files):
            self._complain(f"{tree}: not the bytes that were handed in: {_difference(present, write.files)}; {write}")


def _is_of(document: dict[str, Any], write: Write) -> bool:
    listed = [(file["path"], int(file["size"]), file["md5"]) for file in document.get("files") or ()]
    return listed == [(path, content.size, content.md5) for path, content in write.files.items()]


def _contents(folder: Path) -> Iterator[tuple[str, Content]]:
    for path in sorted(folder.rglob("*")):
        if not path.is_dir():
            yield str(path.relative_to(folder)), content_of(path.read_bytes())


def _difference(present: Files, wanted: Files) -> str:
    paths = [path for path in {**present, **wanted} if present.get(path) != wanted.get(path)]
    return ", ".join(f"{path}: {present.get(path)} for {wanted.get(path)}" for path in paths)
