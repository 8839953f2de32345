"""How a class stands with an assignment: who has handed in, when, how often, and who has feedback."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from ngshare_fs.store import AssignmentFile, Role, Roster, Submission, Timestamp, Volume, dates, feedback, submission
from ngshare_fs.store.dates import Dates
from ngshare_fs.store.problems import Problems

# So many looks at students' folders for one page: 0.05 s of work, if none of them has changed.
MOST_LOOKS = 6_000


class Standing(NamedTuple):
    """How somebody stands with an assignment to which they have handed in.

    Args:
        newest: when they did so for the last time.
        times: how often they have.
        feedback: when they were given feedback for the last time; None until they are.
        is_on_newest: whether that is on the newest submission, and not on an earlier one.
    """

    newest: Timestamp
    times: int
    feedback: Timestamp | None
    is_on_newest: bool


@dataclass(frozen=True)
class ClassDates:
    """The dates of an assignment, for each of a class.

    Args:
        file: what its file says; without any where nobody can say.
        of: those that apply to a student; None stands for all without an extension.
        is_known: whether its file can be understood.
    """

    file: AssignmentFile
    of: Callable[[str | None], Dates]
    is_known: bool


def standings(volume: Volume, course: str, assignment: str) -> dict[str, Standing]:
    """Everybody who has handed in, by user name, also those who have left.

    Raises:
        AssignmentNotFound: there is no such assignment.
    """
    moments: dict[str, list[Timestamp]] = {}
    for student, moment in submission.submissions_to(volume, course, assignment):
        moments.setdefault(student, []).append(moment)
    newest = [Submission(student, own[-1]) for student, own in moments.items()]
    given = feedback.given_on(volume, course, assignment, newest)
    # What has feedback is hardly ever looked at again; of who has none on the newest, an earlier one may have some.
    is_contested = (each.student for each in newest if each not in given and len(moments[each.student]) > 1)
    earlier = [Submission(student, moment) for student in is_contested for moment in moments[student][:-1]]
    on_earlier: dict[str, Timestamp] = {}
    if earlier:
        for found, moment in feedback.given_on(volume, course, assignment, earlier).items():
            on_earlier[found.student] = max(moment, on_earlier.get(found.student, moment))
    return {
        each.student: Standing(
            each.timestamp,
            len(moments[each.student]),
            given.get(each) or on_earlier.get(each.student),
            each in given,
        )
        for each in newest
    }


def class_dates(volume: Volume, course: str, assignment: str, people: Roster, problems: Problems) -> ClassDates:
    """The dates of an assignment.

    Args:
        problems: where it is noted that nobody can say which.

    Raises:
        AssignmentNotFound: there is no such assignment.
    """
    with problems.noted():
        reading = dates.reading(volume, course, assignment)
        if reading.problem is not None:
            with problems.noted():
                raise reading.problem
        return ClassDates(reading.value, dates.for_each(reading.value, people.rules), True)
    return ClassDates(AssignmentFile(), lambda _: Dates(), False)


def most_assignments(people: Roster) -> int:
    """Of how many assignments of a course one page can say how the class stands."""
    return min(max(MOST_LOOKS // max(len(people.students), 1), 3), 50)


def students_of(people: Roster) -> Mapping[str, object]:
    """The students on a roster, by user name."""
    return people.listed(Role.STUDENT)
