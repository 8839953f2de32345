"""All that an ngshare has, course by course, onto a volume."""

from collections.abc import Collection, Sequence

from ngshare_fs.store import RELEASE, SUBMISSION, Manifest, Person, Roster, Timestamp, timestamp_of
from ngshare_fs.store.adopt import is_usable_name
from ngshare_fs.transfer.intake import Intake
from ngshare_fs.transfer.ngshare import IMPORTED_BY, NotNgshare, moments
from ngshare_fs.transfer.ngshare.source import Released, Row, Source, SubmissionRow, tree_of

NO_NAME = "(no name)"


class TakeOver:
    """Takes courses over.

    Args:
        source: the ngshare.
        intake: where it goes.
        wanted: only these courses; all where there are none.

    Attributes:
        taken: the courses that were, so far.

    Raises:
        NotNgshare: one of them is not there.
    """

    def __init__(self, source: Source, intake: Intake, wanted: Collection[str] = ()) -> None:
        self._source = source
        self._intake = intake
        self._account = intake.account
        self.taken: list[str] = []
        self._courses = source.courses()
        known = [course.name for course in self._courses if course.name is not None]
        for name in wanted:
            if name not in known:
                raise NotNgshare(f"there is no course {name!r}, only {', '.join(map(repr, sorted(known))) or 'none'}")
        if wanted:
            self._courses = [course for course in self._courses if course.name in wanted]

    def new_courses(self) -> list[Row]:
        """The courses of which nothing is on the volume yet."""
        return [each for each in self._courses if is_usable_name(each.name) and not self._intake.has_course(each.name)]

    def run(self) -> None:
        """Take over all that there is, to its end.

        Raises:
            OSError, StoreError: the volume cannot take any more.
        """
        for course in self._courses:
            self._take_course(course)
        self._intake.wait()

    def _take_course(self, course: Row) -> None:
        name = course.name
        if name is None or not is_usable_name(name):
            self._account.report("name-unusable", (_shown(name),), f"no course can be called so; {_below(course)}")
            return
        roster = self._roster(name)
        if self._intake.takes_course(roster):
            self.taken.append(name)
            self._take_assignments(name, self._source.assignments(course))

    def _roster(self, course: str) -> Roster:
        people: dict[str, dict[str, Person]] = {"instructor": {}, "student": {}}
        for role, found in people.items():
            for user, person in self._source.people(role, course).items():
                if user is not None and is_usable_name(user):
                    found[user] = person
                else:
                    self._account.report("name-unusable", (course, _shown(user)), "no user can be called so")
        for user in people["instructor"].keys() & people["student"].keys():
            message = "is instructor and student; the instructor counts"
            self._account.report("two-roles", (course, user), message, is_note=True)
            del people["student"][user]
        return Roster(course, people["instructor"], people["student"])

    def _take_assignments(self, course: str, assignments: Sequence[Released]) -> None:
        released = moments.in_order([each.moment for each in assignments])
        met: set[str] = set()
        for assignment, moment in zip(assignments, released, strict=True):
            row, name = assignment.row, assignment.row.name
            if name is None or not is_usable_name(name):
                message = f"no assignment can be called so; {_below(row)}"
                self._account.report("name-unusable", (course, _shown(name)), message)
                continue
            if name in met:
                message = f"there is another one of this name in the course; {_below(row)}"
                self._account.report("assignment-twice", (course, name), message)
                continue
            met.add(name)
            described = Manifest(RELEASE, course, name, IMPORTED_BY, timestamp_of(moment), ())
            if self._intake.take_release(tree_of(self._account, described, assignment.files)):
                self._take_submissions(course, row, name)
            else:
                message = f"there is no place for what was handed in; {_below(row)}"
                self._account.report("release-missing", (course, name), message)

    def _take_submissions(self, course: str, assignment: Row, name: str) -> None:
        before: tuple[str, Timestamp] | None = None
        for row in self._source.submissions(course, assignment):
            student, moment = row.student, moments.timestamp_in(row.timestamp)
            place = (course, name, _shown(student), _shown(row.timestamp))
            if student is None or not is_usable_name(student):
                self._leave_out(row, place, "name-unusable", "no student can be called so")
            elif moment is None:
                self._leave_out(row, place, "name-unusable", "this is no time")
            elif (student, moment) == before:
                self._leave_out(row, place, "submission-twice", "the student has another one of this time")
            else:
                before = (student, moment)
                self._intake.take_work(self._source.work(course, name, student, moment, row))

    def _leave_out(self, row: SubmissionRow, place: tuple[str, ...], code: str, message: str) -> None:
        self._account.count(place[0], SUBMISSION, left_out=1)
        self._account.report(code, place, f"{message}; it was left out{_key(row.key)}")


def _shown(name: str | None) -> str:
    return name or NO_NAME


def _below(row: Row) -> str:
    return f"nothing of it was taken over{_key(row.key)}"


def _key(key: int) -> str:
    return f" (its _id in the database is {key})" if key else ""
