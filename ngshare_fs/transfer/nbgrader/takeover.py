"""Taking nbgrader's exchange folder over: what of it becomes which tree on the volume."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from functools import partial
from typing import BinaryIO, TypeAlias

from ngshare_fs.store import (
    FEEDBACK,
    RELEASE,
    SUBMISSION,
    Manifest,
    Person,
    Roster,
    StoreError,
    Volume,
    timestamp_of,
)
from ngshare_fs.store import course as courses
from ngshare_fs.store import release as releases
from ngshare_fs.store import roster as rosters
from ngshare_fs.store.adopt import is_usable_name, trees_there
from ngshare_fs.transfer.account import Account
from ngshare_fs.transfer.foreign_tree import ForeignFile, ForeignTree, usable_files
from ngshare_fs.transfer.intake import Intake
from ngshare_fs.transfer.nbgrader import names_in_exchange
from ngshare_fs.transfer.nbgrader.feedback_pages import Pages, pages_of, report_left
from ngshare_fs.transfer.nbgrader.inbound import Clock, Inbound, leave_out, submissions_in
from ngshare_fs.transfer.nbgrader.names_in_exchange import (
    OF_A_COURSE,
    OUTBOUND,
    PAGE,
    SECRET_FILE,
    TIMESTAMP_FILE,
    notebooks_in,
)
from ngshare_fs.transfer.nbgrader.shared_folder import SharedFolder

# Nobody's name is in the exchange folder for releases and feedback.
IMPORTED_BY = "nbgrader-import"
EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
MICROSECOND = timedelta(microseconds=1)

# Of each submission, by the way to its folder, the pages of its feedback by notebook.
PagesOn: TypeAlias = dict[tuple[str, ...], dict[str, str]]


class Takeover:
    """A move from an exchange folder onto a volume.

    Args:
        shared: the exchange folder.
        volume: where to.
        intake: takes what is found.
        clock: how the exchange's times are to be read.
        instructors: user names; the exchange does not say who teaches.
        dry_run: only look.
    """

    def __init__(
        self,
        shared: SharedFolder,
        volume: Volume,
        intake: Intake,
        clock: Clock,
        instructors: Collection[str],
        dry_run: bool,
    ) -> None:
        self._shared = shared
        self._volume = volume
        self._intake = intake
        self._account: Account = intake.account
        self._clock = clock
        self._instructors = instructors
        self._dry_run = dry_run

    def take_course(self, course: str) -> None:
        """Take a course over: who handed in becomes a student of it.

        Raises:
            StoreError, OSError: the volume cannot take it.
        """
        submissions = submissions_in(self._shared, course, self._clock, self._account)
        unreadable: set[str] = set()
        released = self._released(course, submissions, unreadable)
        if released is None:
            return
        for each in submissions:
            if each.name.assignment in unreadable:
                self._account.count(course, SUBMISSION, left_out=1)
        submissions = [each for each in submissions if each.name.assignment not in unreadable]
        feedback = self._pages(course, submissions, released)
        works = list(self._described(course, submissions))
        if not self._intake.takes_course(self._roster(course, [described for described, _ in works])):
            return
        for tree in released.values():
            self._intake.take_release(tree)
        for assignment in {each.name.assignment: None for each in submissions}:
            if assignment not in released:
                self._make_withdrawn(course, assignment, submissions)
        for described, found in works:
            self._intake.take_work(self._trees(described, found, feedback))
        # Before the next course is looked at: only one at a time is held in memory.
        self._intake.wait()

    def _released(self, course: str, submissions: list[Inbound], unreadable: set[str]) -> dict[str, ForeignTree] | None:
        """The releases of a course by assignment, the earliest first; None where nobody can tell which there are.

        nbgrader notes no time. That of the folder is the one of the instructor's folder, from which it was copied.

        Args:
            submissions: to the course.
            unreadable: gets the assignments of which there is a release that cannot be read; what was handed in to
                them waits for it.
        """
        first = _first_submissions(submissions)
        found: dict[str, ForeignTree] = {}
        try:
            with self._shared.entered(course, OUTBOUND) as outbound:
                for name in outbound.names():
                    place = (course, OUTBOUND, name)
                    status = outbound.status(name)
                    if status is None or not outbound.is_folder(name) or not is_usable_name(name):
                        self._account.report("stray", place, "is no folder of a release; left out")
                        continue
                    try:
                        files = self._shared.files_of_tree(place)
                    except OSError as error:
                        self._account.report(
                            "unreadable",
                            place,
                            f"cannot be read: {error.strerror}; left out with all that was handed in",
                        )
                        unreadable.add(name)
                        continue
                    moment = min(self._moment(status.st_mtime_ns), first.get(name, self._clock.now))
                    described = Manifest(RELEASE, course, name, IMPORTED_BY, timestamp_of(moment), ())
                    found[name] = _foreign(described, files)
        except FileNotFoundError:
            pass  # nothing was ever released
        except OSError as error:
            self._account.report("unreadable", (course, OUTBOUND), f"cannot be read: {error.strerror}; left out")
            return None
        return dict(sorted(found.items(), key=lambda item: item[1].described.timestamp))

    def _pages(
        self, course: str, submissions: list[Inbound], released: dict[str, ForeignTree]
    ) -> tuple[Pages, PagesOn]:
        """All pages of feedback, and those on each submission."""
        pages = pages_of(self._shared, course, self._account)
        found: PagesOn = {each.way: {} for each in submissions}
        for each in submissions:
            if each.secret is not None:
                # Where a student has left a notebook out, there may be a page on it all the same.
                release = released.get(each.name.assignment)
                asked_for = {*each.notebooks, *notebooks_in(file.path for file in (release.files if release else ()))}
                found[each.way] |= pages.find_by_secret(each.secret, sorted(asked_for))
        if pages.changed.keys() - pages.used:
            for each in submissions:
                # All notebooks: a page may be there under two names, and is no other one then.
                by_content = pages.find_by_content(self._shared, each.way, each.name, course, each.notebooks)
                found[each.way] = by_content | found[each.way]
        report_left(pages, course, self._account)
        return pages, found

    def _described(self, course: str, submissions: list[Inbound]) -> Iterator[tuple[Manifest, Inbound]]:
        """What their manifests are to say, with times of which no student has the same twice."""
        latest: dict[tuple[str, str], datetime] = {}
        for each in submissions:
            student, assignment = each.name.student, each.name.assignment
            moment = max(each.moment, latest.get((student, assignment), EPOCH) + MICROSECOND)
            latest[student, assignment] = moment
            if moment != each.moment:
                message = f"was handed in at the same time as another one; {timestamp_of(moment)} here"
                self._account.report("time-repeated", each.place, message, is_note=True)
            yield Manifest(SUBMISSION, course, assignment, student, timestamp_of(moment), (), student=student), each

    def _trees(self, described: Manifest, found: Inbound, feedback: tuple[Pages, PagesOn]) -> Iterator[ForeignTree]:
        """A submission, and the feedback on it; looked for in the thread that writes them."""
        try:
            files = self._shared.files_of_tree(found.way, (TIMESTAMP_FILE, SECRET_FILE))
        except OSError as error:
            leave_out(self._account, "unreadable", found.way, f"cannot be read: {error.strerror}")
            return
        yield _foreign(described, files)
        pages, by_submission = feedback
        on_this = by_submission[found.way]
        if on_this:
            given = max(self._moment(pages.changed[page]) for page in on_this.values())
            files = [
                ForeignFile(notebook + PAGE, self._opener(page + PAGE, described.course), name=f"feedback/{page}{PAGE}")
                for notebook, page in sorted(on_this.items())
            ]
            of_feedback = replace(
                described, kind=FEEDBACK, by=IMPORTED_BY, timestamp=timestamp_of(given), submission=described.timestamp
            )
            yield _foreign(of_feedback, files)

    def _roster(self, course: str, works: list[Manifest]) -> Roster:
        """Whom the course gets who is not in it: its instructors, and those whose work comes now.

        Others who handed in were students once; whoever was taken off the roster since stays off.
        """
        present = Roster(course, {}, {})
        if courses.exists(self._volume, course):
            with suppress(StoreError):  # it is reported when it is to be changed
                present = rosters.of(self._volume, course)
        known = present.users()
        coming = {str(work.student): Person() for work in works if not self._intake.has(work)}
        students = {name: each for name, each in coming.items() if name not in known and name not in self._instructors}
        instructors = {name: Person() for name in self._instructors if name not in present.instructors}
        if not instructors and not present.instructors:
            message = "has no instructors, so nobody but an admin sees all of it: name them with --instructors"
            self._account.report("no-instructors", (course,), message, is_note=True)
        self._account.of(course).people.there += len({name for name in coming if name in known})
        return Roster(course, instructors, students)

    def _make_withdrawn(self, course: str, assignment: str, submissions: list[Inbound]) -> None:
        """Make a place for work that was handed in to an assignment of which there is no release any more."""
        moment = timestamp_of(_first_submissions(submissions)[assignment])
        described = Manifest(RELEASE, course, assignment, IMPORTED_BY, moment, ())
        there = trees_there(self._volume, described)
        # What was begun and cut off is gone on with; what was released since is left alone.
        is_begun = len(there) == 1 and (there[0].by, there[0].kind, there[0].files) == (IMPORTED_BY, RELEASE, ())
        if there and not is_begun:
            return
        message = "is handed in to and not released: taken over as an assignment that is taken back"
        self._account.report("not-released", (course, assignment), message, is_note=True)
        if self._intake.take_release(ForeignTree(described, [])) and not self._dry_run:
            releases.withdraw(self._volume, course, assignment, IMPORTED_BY)

    def _moment(self, nanoseconds: int) -> datetime:
        """A time of a file, which anybody can set to anything."""
        with suppress(OverflowError):
            return min(max(EPOCH + timedelta(microseconds=nanoseconds // 1000), EPOCH), self._clock.now)
        return self._clock.now

    def _opener(self, page: str, course: str) -> Callable[[], BinaryIO]:
        return partial(self._shared.open_file, course, names_in_exchange.FEEDBACK, page)


def courses_in(shared: SharedFolder) -> tuple[list[str], list[str]]:
    """The names of the courses in an exchange folder, and of what is none, sorted.

    Raises:
        OSError: it cannot be read.
    """
    found: list[str] = []
    others: list[str] = []
    with shared.entered() as root:
        for name in root.names():
            try:
                with root.enter(name) as folder:
                    is_course = any(folder.is_folder(each) for each in OF_A_COURSE)
            except OSError:
                is_course = False
            (found if is_course and is_usable_name(name) else others).append(name)
    return found, others


def _foreign(described: Manifest, files: list[ForeignFile]) -> ForeignTree:
    usable = usable_files(files)
    return ForeignTree(described, usable.files, usable.without)


def _first_submissions(submissions: list[Inbound]) -> dict[str, datetime]:
    """When an assignment was handed in for the first time."""
    by_assignment: dict[str, list[datetime]] = defaultdict(list)
    for each in submissions:
        by_assignment[each.name.assignment].append(each.moment)
    return {assignment: min(moments) for assignment, moments in by_assignment.items()}
