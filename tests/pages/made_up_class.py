"""A class that is drawn at random: what was handed in, dates, extensions, feedback; and what follows from that."""

import random
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from ngshare_fs.formats.civil_time import moment_at
from ngshare_fs.store import Extension, Person, Volume, course, extensions, feedback, release, roster, submission
from ngshare_fs.store import timestamp_of as text_of
from tests.stores import upload

GRACE = timedelta(minutes=5)


@dataclass
class Given:
    """An assignment, as the model knows it: plain times, no store."""

    due: datetime | None
    extended: dict[str, datetime] = field(default_factory=dict)
    submissions: dict[str, list[datetime]] = field(default_factory=dict)
    feedback: dict[tuple[str, datetime], datetime] = field(default_factory=dict)

    def due_of(self, student: str) -> datetime | None:
        return self.extended.get(student, self.due)

    def late_seconds(self, student: str) -> int | None:
        due = self.due_of(student)
        if due is None:
            return None
        late = self.submissions[student][-1] - due
        return int(late.total_seconds()) if late >= GRACE + timedelta(seconds=1) else 0

    def is_overdue(self, student: str, now: datetime) -> bool:
        due = self.due_of(student)
        return due is not None and now >= due + GRACE + timedelta(seconds=1)

    def feedback_of(self, student: str) -> datetime | None:
        on_newest = self.feedback.get((student, self.submissions[student][-1]))
        return on_newest or max((at for (user, _), at in self.feedback.items() if user == student), default=None)

    def is_on_newest(self, student: str) -> bool:
        return (student, self.submissions[student][-1]) in self.feedback


@dataclass
class MadeUp:
    """The class: `students` are on the roster, `left` have handed in and are not, `kevin` tried it out."""

    students: list[str]
    left: list[str]
    assignments: dict[str, Given]


def make(volume: Volume, draw: random.Random, now: datetime) -> MadeUp:
    """Draw a class, and write it to the course `c` of a volume.

    Args:
        now: in whole seconds.
    """
    made = MadeUp([f"s{number:02}" for number in range(draw.randrange(2, 12))], ["gone", "gone too"], {})
    course.create(volume, "c", ["kevin"])
    roster.set_students(volume, "c", [(name, Person("F", f"L{name}", f"{name}@x")) for name in made.students])
    for number in range(draw.randrange(1, 5)):
        name = f"a{number}"
        due = None if draw.random() < 0.3 else now + timedelta(hours=draw.randrange(-90, 90), seconds=draw.randrange(9))
        given = made.assignments[name] = Given(due)
        changes: dict[str, object] = {"grace": GRACE}
        if due is not None:
            changes["due"] = moment_at(due, "UTC")
        with upload(volume, f=b"1") as files:
            release.release(volume, "c", name, "kevin", files, changes=changes)
        for student in made.students if due is not None else ():
            if draw.random() < 0.3:
                assert due is not None
                given.extended[student] = due + timedelta(hours=draw.randrange(1, 100))
                extension = Extension(due=moment_at(given.extended[student], "UTC"))
                extensions.extend(volume, "c", name, student, extension)
        for student in (*made.students, *made.left, "kevin"):
            _hand_in(volume, draw, name, student, given, now)
    return made


def _hand_in(volume: Volume, draw: random.Random, name: str, student: str, given: Given, now: datetime) -> None:
    due = given.due_of(student)
    at_the_limit = [due + GRACE, due + GRACE + timedelta(seconds=1)] if due is not None else []
    times = {now - timedelta(seconds=draw.randrange(400_000)) for _ in range(draw.choice((0, 0, 1, 1, 3)))}
    if at_the_limit and draw.random() < 0.4:
        times.add(draw.choice(at_the_limit))
    for at in sorted(time for time in times if time <= now):
        with upload(volume, f=b"1") as files:
            submission.submit(volume, "c", name, student, files, at=text_of(at))
        given.submissions.setdefault(student, []).append(at)
        for _ in range(draw.choice((0, 0, 1, 2))):
            returned = at + timedelta(seconds=draw.randrange(1, 300_000), microseconds=draw.randrange(10**6))
            returned = max(returned, given.feedback.get((student, at), returned) + timedelta(microseconds=1))
            with upload(volume, g=b"1") as files:
                feedback.give(volume, "c", name, student, text_of(at), "kevin", files, at=text_of(returned))
            given.feedback[student, at] = returned
