"""All verbs of the store, in any order and with any names, against a few dictionaries that do the same in memory."""

import os
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from ngshare_fs.store import (
    StoreError,
    Volume,
    assignment,
    course,
    dates,
    editable_file,
    errors,
    feedback,
    release,
    roster,
    submission,
)
from ngshare_fs.store.checking.verify import verify_volume
from ngshare_fs.store.format.course_file import Person, Roster
from ngshare_fs.store.format.role import Role
from ngshare_fs.store.format.timestamp import Timestamp
from ngshare_fs.store.reading.tree import Tree
from tests.rounds import rounds
from tests.stores import upload
from tests.volumes import HOSTILE_NAMES

Files = dict[str, bytes]
# Thousands of small writes: what is tried here is not the disk.
IN_MEMORY = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
PATHS = ("p.ipynb", "data/x.csv", "data/y.csv", " ", "-", "two\nlines", "manifest.yaml", "files/files", "ü" * 100)

# Two that a sloppy rule would put into one folder, or any two.
ALIKE = (("x" * 300, "x" * 299 + "y"), ("a/b", "a%2Fb"), ("..", "%2E%2E"), ("trailing ", "trailing"), ("No", "no"))
any_two = st.lists(st.sampled_from(HOSTILE_NAMES), min_size=2, max_size=2, unique=True).map(tuple)
some_names = st.sampled_from(ALIKE) | any_two
which = st.integers(0, 1)
some_files = st.dictionaries(st.sampled_from(PATHS), st.binary(max_size=20), max_size=3)
people = st.builds(Person, *[st.sampled_from(("", "no", "zoë", "two\nlines", "~"))] * 3)


@dataclass
class Handed:
    """A submission."""

    moment: Timestamp
    files: Files
    feedback: list[Files] = field(default_factory=list)


@dataclass
class Assignment:
    """Its releases, the time of the first, whether it is withdrawn, and the submissions of each student."""

    first: Timestamp
    releases: list[Files]
    withdrawn: bool = False
    work: dict[str, list[Handed]] = field(default_factory=dict)


@dataclass
class Course:
    """Its roster and assignments."""

    instructors: dict[str, Person]
    graders: dict[str, Person] = field(default_factory=dict)
    students: dict[str, Person] = field(default_factory=dict)
    assignments: dict[str, Assignment] = field(default_factory=dict)

    def above_students(self, user: str) -> Role | None:
        if user in self.instructors:
            return Role.INSTRUCTOR
        return Role.GRADER if user in self.graders else None


def _has(user: str, _: str, people: Roster) -> bool:
    return user in people


def _files_in(tree: Tree | None) -> Files | None:
    if tree is None:
        return None
    found = {}
    with tree:
        for file in tree.manifest.files:
            with os.fdopen(tree.open_file(file), "rb") as content:
                found[file.path] = content.read()
    return found


def _refusal_of(call: Callable[[], Any]) -> type[StoreError] | None:
    try:
        call()
    except StoreError as error:
        return type(error)
    return None


class Exchange(RuleBasedStateMachine):
    """What was done, to the volume and to the dictionaries."""

    courses: dict[str, Course]

    @initialize(courses=some_names, assignments=some_names, users=some_names)
    def start(self, courses: tuple[str, ...], assignments: tuple[str, ...], users: tuple[str, ...]) -> None:
        self.patch = pytest.MonkeyPatch()
        self.patch.setattr(editable_file, "QUIET_SECONDS", 0)  # nobody edits by hand here
        self.folder = tempfile.mkdtemp(dir=IN_MEMORY)
        self.volume = Volume.open(Path(self.folder) / "volume")
        self.names = (courses, assignments, users)
        self.courses = {}
        self.deleted = 0
        self.create_course(0, 0)  # most of the rest needs one
        self.release(0, 0, {"p.ipynb": b"first"})

    def teardown(self) -> None:
        if hasattr(self, "volume"):
            try:
                assert list(verify_volume(Path(self.volume.root))) == []
                assert len(os.listdir(os.path.join(self.volume.root, "trash"))) == self.deleted
            finally:
                self.volume.close()
                shutil.rmtree(self.folder)
                self.patch.undo()

    @rule()
    def restart(self) -> None:
        self.volume.close()
        self.volume = Volume.open(Path(self.volume.root))

    @rule(which=which, teacher=which)
    def create_course(self, which: int, teacher: int) -> None:
        name, user = self.names[0][which], self.names[2][teacher]
        refusal = _refusal_of(lambda: course.create(self.volume, name, [user]))
        assert refusal == (errors.CourseExists if name in self.courses else None)
        self.courses.setdefault(name, Course({user: Person()}))

    @rule(which=which)
    def delete_course(self, which: int) -> None:
        name = self.names[0][which]
        refusal = _refusal_of(lambda: course.delete(self.volume, name, "root"))
        assert refusal == (None if name in self.courses else errors.CourseNotFound)
        self.deleted += self.courses.pop(name, None) is not None

    @rule(which=which, who=which, person=people)
    def set_instructor(self, which: int, who: int, person: Person) -> None:
        name, user = self.names[0][which], self.names[2][who]
        refusal = _refusal_of(lambda: roster.set_instructor(self.volume, name, user, person))
        assert refusal == (None if name in self.courses else errors.CourseNotFound)
        if name in self.courses:
            self.courses[name].students.pop(user, None)
            self.courses[name].graders.pop(user, None)
            self.courses[name].instructors[user] = person

    @rule(which=which, who=which)
    def remove_instructor(self, which: int, who: int) -> None:
        name, user = self.names[0][which], self.names[2][who]
        refusal = _refusal_of(lambda: roster.remove_instructor(self.volume, name, user))
        there = self.courses.get(name)
        if there is None or user not in there.instructors:
            assert refusal == (errors.CourseNotFound if there is None else errors.InstructorNotFound)
        else:
            assert refusal is None
            del there.instructors[user]

    @rule(which=which, who=which, person=people)
    def set_grader(self, which: int, who: int, person: Person) -> None:
        name, user = self.names[0][which], self.names[2][who]
        refusal = _refusal_of(lambda: roster.set_grader(self.volume, name, user, person))
        there = self.courses.get(name)
        if there is None or user in there.instructors:
            assert refusal == (errors.CourseNotFound if there is None else errors.IsInstructor)
        else:
            assert refusal is None
            there.students.pop(user, None)
            there.graders[user] = person

    @rule(which=which, who=which)
    def remove_grader(self, which: int, who: int) -> None:
        name, user = self.names[0][which], self.names[2][who]
        refusal = _refusal_of(lambda: roster.remove_grader(self.volume, name, user))
        there = self.courses.get(name)
        if there is None or user not in there.graders:
            assert refusal == (errors.CourseNotFound if there is None else errors.GraderNotFound)
        else:
            assert refusal is None
            del there.graders[user]

    @rule(which=which, entries=st.lists(st.tuples(which, people), min_size=1, max_size=3))
    def set_students(self, which: int, entries: list[tuple[int, Person]]) -> None:
        name, named = self.names[0][which], [(self.names[2][who], person) for who, person in entries]
        there = self.courses.get(name)
        if there is None:
            assert _refusal_of(lambda: roster.set_students(self.volume, name, named)) == errors.CourseNotFound
            return
        instead = roster.set_students(self.volume, name, named)
        assert instead == [there.above_students(user) for user, _ in named]
        there.students |= {user: person for user, person in named if there.above_students(user) is None}

    @rule(which=which, whom=st.lists(which, min_size=1, max_size=3))
    def remove_students(self, which: int, whom: list[int]) -> None:
        name, users = self.names[0][which], [self.names[2][who] for who in whom]
        there = self.courses.get(name)
        if there is None:
            assert _refusal_of(lambda: roster.remove_students(self.volume, name, users)) == errors.CourseNotFound
            return
        assert roster.remove_students(self.volume, name, users) == [user in there.students for user in users]
        for user in users:
            there.students.pop(user, None)

    @rule(which=which, who=which)
    def remove_student(self, which: int, who: int) -> None:
        name, user = self.names[0][which], self.names[2][who]
        refusal = _refusal_of(lambda: roster.remove_student(self.volume, name, user))
        there = self.courses.get(name)
        if there is None or user not in there.students:
            assert refusal == (errors.CourseNotFound if there is None else errors.StudentNotFound)
        else:
            assert refusal is None
            del there.students[user]

    @rule(which=which, what=which, files=some_files)
    def release(self, which: int, what: int, files: Files) -> None:
        name, title = self.names[0][which], self.names[1][what]
        with upload(self.volume, **files) as made:
            there = self._assignment(name, title)
            if there is not None and there.withdrawn:
                release.release(self.volume, name, title, "by", made)
                there.releases.append(files)
                there.withdrawn = False
            elif name not in self.courses or there is not None:
                expected = errors.AssignmentExists if name in self.courses else errors.CourseNotFound
                assert _refusal_of(lambda: release.release(self.volume, name, title, "by", made)) == expected
            else:
                moment = release.release(self.volume, name, title, "by", made)
                self.courses[name].assignments[title] = Assignment(moment, [files])

    @rule(which=which, what=which, files=some_files)
    def release_again(self, which: int, what: int, files: Files) -> None:
        name, title = self.names[0][which], self.names[1][what]
        there = self._assignment(name, title)
        with upload(self.volume, **files) as made:
            refusal = _refusal_of(lambda: release.release_again(self.volume, name, title, "by", made))
        assert refusal == (errors.AssignmentNotFound if there is None else None)
        if there is not None:
            there.releases.append(files)
            there.withdrawn = False

    @rule(which=which, what=which)
    def withdraw(self, which: int, what: int) -> None:
        name, title = self.names[0][which], self.names[1][what]
        there = self._assignment(name, title)
        refusal = _refusal_of(lambda: release.withdraw(self.volume, name, title, "by"))
        assert refusal == (errors.AssignmentNotFound if there is None else None)
        if there is not None:
            there.withdrawn = True

    @rule(which=which, what=which)
    def delete_assignment(self, which: int, what: int) -> None:
        name, title = self.names[0][which], self.names[1][what]
        there = self._assignment(name, title)
        refusal = _refusal_of(lambda: assignment.delete(self.volume, name, title, "by"))
        assert refusal == (errors.AssignmentNotFound if there is None else None)
        if there is not None:
            del self.courses[name].assignments[title]
            self.deleted += 1

    @rule(which=which, what=which, who=which, files=some_files)
    def submit(self, which: int, what: int, who: int, files: Files) -> None:
        name, title, user = self.names[0][which], self.names[1][what], self.names[2][who]
        there = self._assignment(name, title)
        with upload(self.volume, **files) as made:
            if there is None:
                refusal = _refusal_of(lambda: submission.submit(self.volume, name, title, user, made))
                assert refusal == errors.AssignmentNotFound
            else:
                moment = submission.submit(self.volume, name, title, user, made)
                work = there.work.setdefault(user, [])
                assert not work or moment > work[-1].moment
                work.append(Handed(moment, files))

    @precondition(lambda self: self._all_work())
    @rule(data=st.data(), files=some_files)
    def give_feedback(self, data: st.DataObject, files: Files) -> None:
        name, title, user, handed = data.draw(st.sampled_from(self._all_work()))
        with upload(self.volume, **files) as made:
            feedback.give(self.volume, name, title, user, handed.moment, "by", made)
        handed.feedback.append(files)

    @rule(which=which, what=which, who=which)
    def what_is_not_there_is_not_found(self, which: int, what: int, who: int) -> None:
        name, title, user = self.names[0][which], self.names[1][what], self.names[2][who]
        moment = Timestamp("2020-01-01 00:00:00.000000 UTC")
        with upload(self.volume, f=b"") as made:
            for call in (
                lambda: submission.collect(self.volume, name, title, user, moment),
                lambda: feedback.newest(self.volume, name, title, user, moment),
                lambda: feedback.give(self.volume, name, title, user, moment, "by", made),
            ):
                assert _refusal_of(call) == errors.SubmissionNotFound
        if self._assignment(name, title) is None:
            assert _refusal_of(lambda: release.newest(self.volume, name, title)) == errors.AssignmentNotFound

    @invariant()
    def the_volume_has_what_the_dictionaries_have(self) -> None:
        if not hasattr(self, "volume"):
            return
        assert course.all_courses(self.volume) == sorted(self.courses)
        for user in self.names[2]:
            of_user = [name for name, it in self.courses.items() if user in it.students or it.above_students(user)]
            assert course.courses_where(self.volume, partial(_has, user)) == sorted(of_user)
        for name, expected in self.courses.items():
            found = roster.of(self.volume, name)
            assert list(found.instructors.items()) == list(expected.instructors.items())
            assert list(found.graders.items()) == list(expected.graders.items())
            assert list(found.students.items()) == list(expected.students.items())
            by_time = sorted((there.first, title) for title, there in expected.assignments.items())
            assert assignment.assignments_of(self.volume, name) == [title for _, title in by_time]
            still_open = [title for _, title in by_time if not expected.assignments[title].withdrawn]
            assert release.visible_assignments(self.volume, name, dates.now()) == still_open
            for title, there in expected.assignments.items():
                self._compare(name, title, there)

    def _compare(self, name: str, title: str, there: Assignment) -> None:
        volume = self.volume
        assert _files_in(release.newest(volume, name, title)) == there.releases[-1]
        listed = [(entry.timestamp, entry.student) for entry in submission.submissions_to(volume, name, title)]
        assert sorted(listed) == sorted((handed.moment, user) for user, work in there.work.items() for handed in work)
        for user, work in there.work.items():
            own = submission.submissions_by(volume, name, title, user)
            assert [entry.timestamp for entry in own] == [handed.moment for handed in work]
            assert _files_in(submission.collect(volume, name, title, user, None)) == work[-1].files
            for handed in work:
                assert _files_in(submission.collect(volume, name, title, user, handed.moment)) == handed.files
                given = _files_in(feedback.newest(volume, name, title, user, handed.moment))
                assert given == (handed.feedback[-1] if handed.feedback else None)

    def _assignment(self, name: str, title: str) -> Assignment | None:
        return self.courses[name].assignments.get(title) if name in self.courses else None

    def _all_work(self) -> list[tuple[str, str, str, Handed]]:
        return [
            (name, title, user, handed)
            for name, it in self.courses.items()
            for title, there in it.assignments.items()
            for user, work in there.work.items()
            for handed in work
        ]


Exchange.TestCase.settings = settings(
    max_examples=rounds(100),
    stateful_step_count=50,
    # Making a failure shorter takes minutes: only for who asks for more than one round.
    phases=tuple(Phase) if rounds(1) > 1 else (Phase.explicit, Phase.reuse, Phase.generate),
)
TestExchange = pytest.mark.durability(Exchange.TestCase)
