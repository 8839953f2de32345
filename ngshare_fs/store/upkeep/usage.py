"""What is on a volume, and what it takes: people, releases, submissions, feedback, by course, assignment and student.

Sizes are those of the files as they were handed in, from the manifests. It takes no lock, writes nothing, and goes on
where something cannot be read: that is said beside what could be.
"""

import contextlib
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from ngshare_fs.store.course import all_courses
from ngshare_fs.store.errors import AssignmentNotFound, BrokenManifest, CourseNotFound
from ngshare_fs.store.format import assignment_file, course_file, layout, names, timestamp
from ngshare_fs.store.format.assignment_file import NO_DATES, AssignmentFile
from ngshare_fs.store.format.course_file import Roster
from ngshare_fs.store.format.manifest import WITHDRAWAL
from ngshare_fs.store.format.timestamp import Timestamp
from ngshare_fs.store.reading.cached_folders import timestamps_in
from ngshare_fs.store.reading.tree import Manifests, full_name
from ngshare_fs.store.reading.tree_size import NOTHING, TreeSize, manifest_of_tree, size_of_tree
from ngshare_fs.store.reading.yaml_file import read_once
from ngshare_fs.store.volume import Volume

# Told of what cannot be read, in a line each.
Report = Callable[[str], object]


@dataclass(slots=True)
class Amount:
    """Trees of one kind: how many, and what they take."""

    trees: int = 0
    size: TreeSize = NOTHING
    oldest: Timestamp | None = None
    newest: Timestamp | None = None

    def add(self, size: TreeSize, moment: Timestamp) -> None:
        """One tree more."""
        self.trees += 1
        self.size = self.size.plus(size)
        self.oldest = min(self.oldest or moment, moment)
        self.newest = _later(self.newest, moment)

    def merge(self, other: "Amount") -> None:
        """All of another amount more."""
        self.trees += other.trees
        self.size = self.size.plus(other.size)
        self.oldest = min((each for each in (self.oldest, other.oldest) if each is not None), default=None)
        self.newest = _later(self.newest, other.newest)


@dataclass(slots=True)
class Work:
    """What belongs to one student: what they handed in, and the feedback on it."""

    submissions: Amount = field(default_factory=Amount)
    feedback: Amount = field(default_factory=Amount)

    def merge(self, other: "Work") -> None:
        """All of another student's, or of the same one's elsewhere."""
        self.submissions.merge(other.submissions)
        self.feedback.merge(other.feedback)

    @property
    def bytes(self) -> int:
        """What it takes together."""
        return self.submissions.size.bytes + self.feedback.size.bytes


@dataclass
class AssignmentUsage:
    """What an assignment has.

    Args:
        name: the assignment's.
        releases: also withdrawals, which take nothing.
        is_withdrawn: whether the newest of them is one.
        students: the work of each who handed in, by name.
        dates: what its file of dates says; None where that cannot be read.
    """

    name: str
    releases: Amount = field(default_factory=Amount)
    is_withdrawn: bool = False
    students: dict[str, Work] = field(default_factory=dict)
    dates: AssignmentFile | None = NO_DATES

    @property
    def work(self) -> Work:
        """That of all students together."""
        return _together(self.students.values())

    @property
    def bytes(self) -> int:
        """What it takes."""
        return self.releases.size.bytes + self.work.bytes

    @property
    def last_activity(self) -> Timestamp | None:
        """When somebody released, handed in or gave feedback for the last time."""
        work = self.work
        return _later(_later(self.releases.newest, work.submissions.newest), work.feedback.newest)


@dataclass
class CourseUsage:
    """What a course has.

    Args:
        name: the course's.
        roster: who takes and teaches it; None where its file cannot be read.
        assignments: in the order of their first release.
        problems: what of it cannot be read, a line each.
    """

    name: str
    roster: Roster | None = None
    assignments: list[AssignmentUsage] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    @property
    def releases(self) -> Amount:
        """Of all assignments together."""
        found = Amount()
        for each in self.assignments:
            found.merge(each.releases)
        return found

    @property
    def work(self) -> Work:
        """That of all students in all assignments."""
        return _together(each.work for each in self.assignments)

    @property
    def students(self) -> dict[str, Work]:
        """The work of each who handed in, in all assignments."""
        found: dict[str, Work] = {}
        for each in self.assignments:
            for student, work in each.students.items():
                found.setdefault(student, Work()).merge(work)
        return found

    @property
    def bytes(self) -> int:
        """What it takes, without its share of the trash."""
        return sum(each.bytes for each in self.assignments)

    @property
    def last_activity(self) -> Timestamp | None:
        """That of its assignments."""
        latest = None
        for each in self.assignments:
            latest = _later(latest, each.last_activity)
        return latest


@dataclass(frozen=True)
class SubmissionUsage:
    """One submission.

    Args:
        timestamp: when it was handed in.
        size: what its files take.
        feedback: the pieces of feedback on it.
    """

    timestamp: Timestamp
    size: TreeSize
    feedback: Amount


def usage_of_course(volume: Volume, course: str, step: Callable[[], object] = lambda: None) -> CourseUsage:
    """What a course has.

    Args:
        step: called for each assignment that was looked through.

    Raises:
        CourseNotFound: there is no such course.
    """
    folder = layout.course(volume.root, course)
    if not layout.is_folder(folder):
        raise CourseNotFound(course)
    found = CourseUsage(course)
    report = _relative_to(volume, found.problems.append)
    found.roster = _roster_in(folder, report)
    for path in folders_in(os.path.join(folder, layout.ASSIGNMENTS), report):
        name = assignment_name(volume.manifests, path)
        if name is not None:
            usage = usage_of_assignment(volume, path, name, report)
            usage.dates = _dates_in(path, report)
            found.assignments.append(usage)
        step()
    found.assignments.sort(key=lambda each: (each.releases.oldest or "", each.name))
    return found


def usage_of_assignment(volume: Volume, path: str, name: str, report: Report) -> AssignmentUsage:
    """What the assignment in the folder `path` has, wherever that is.

    Args:
        report: told of what cannot be read.
    """
    found = AssignmentUsage(name)
    releases = os.path.join(path, layout.RELEASES)
    found.releases = _amount_in(releases, report)
    if found.releases.newest is not None:
        newest = os.path.join(releases, timestamp.folder_of(found.releases.newest))
        with contextlib.suppress(BrokenManifest, OSError):  # said already
            found.is_withdrawn = manifest_of_tree(newest).kind == WITHDRAWAL
    for folder in folders_in(os.path.join(path, layout.SUBMISSIONS), report):
        student = student_name(volume.manifests, folder)
        work = Work()
        for submission in submissions_in(folder, report):
            work.submissions.add(submission.size, submission.timestamp)
            work.feedback.merge(submission.feedback)
        if student is not None and work.submissions.trees:
            found.students[student] = work
    return found


def submissions_in(folder: str, report: Report) -> Iterator[SubmissionUsage]:
    """The submissions in a student's folder, oldest first."""
    for moment in _moments_in(folder, report):
        tree = os.path.join(folder, timestamp.folder_of(moment))
        size = _size_of(tree, report)
        if size is not None:
            yield SubmissionUsage(moment, size, _amount_in(os.path.join(tree, layout.FEEDBACK), report))


def submissions_of(volume: Volume, course: str, assignment: str, student: str, report: Report) -> list[SubmissionUsage]:
    """One student's submissions to an assignment, oldest first.

    Raises:
        AssignmentNotFound: there is no such assignment.
    """
    if not layout.is_folder(layout.assignment(volume.root, course, assignment)):
        raise AssignmentNotFound(assignment)
    folder = layout.submissions_of(volume.root, course, assignment, student)
    return list(submissions_in(folder, _relative_to(volume, report)))


def names_of_courses(volume: Volume) -> list[str]:
    """The names of all courses, sorted; also of those whose file nobody can read, or that have none."""
    found = set(all_courses(volume))
    for path in folders_in(layout.courses(volume.root), lambda _: None):
        name = names.name_of(os.path.basename(path))
        if name is not None and os.path.isdir(os.path.join(path, layout.ASSIGNMENTS)):
            found.add(name)
    return sorted(found)


def count_assignments(volume: Volume, courses: list[str]) -> int:
    """How many folders of assignments these courses have; to know how far a look at all of them has come."""
    found = 0
    for course in courses:
        try:
            found += len(os.listdir(layout.assignments(volume.root, course)))
        except OSError:
            continue
    return found


def assignment_name(manifests: Manifests, path: str) -> str | None:
    """The name of the assignment in a folder; None where no name leads to it."""
    return _name_of(manifests, path, os.path.join(path, layout.RELEASES), "assignment")


def student_name(manifests: Manifests, path: str) -> str | None:
    """The name of the student in whose folder submissions are; None where no name leads to it."""
    return _name_of(manifests, path, path, "student")


def folders_in(parent: str, report: Report) -> list[str]:
    """The paths of the folders in a folder, sorted; none where it is missing. No link is followed."""
    try:
        with os.scandir(parent) as entries:
            return sorted(entry.path for entry in entries if entry.is_dir(follow_symlinks=False))
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        report(f"{parent}: cannot be read: {error.strerror}")
        return []


def _relative_to(volume: Volume, report: Report) -> Report:
    return lambda line: report(line.replace(volume.root + os.sep, ""))


def _name_of(manifests: Manifests, path: str, trees: str, of: str) -> str | None:
    folder = os.path.basename(path)
    if not names.is_cut(folder):
        return names.name_of(folder)
    try:
        name = full_name(manifests, trees, of)
    except OSError:
        return None
    return name if name and names.folder_of(name) == folder else None


def _roster_in(folder: str, report: Report) -> Roster | None:
    file = os.path.join(folder, layout.COURSE_FILE)
    try:
        return read_once(file, course_file.understand)
    except BrokenManifest as error:
        report(str(error))
    except OSError as error:
        report(f"{file}: {error.strerror}")
    return None


def _dates_in(folder: str, report: Report) -> AssignmentFile | None:
    file = os.path.join(folder, layout.ASSIGNMENT_FILE)
    try:
        return read_once(file, assignment_file.understand)
    except (FileNotFoundError, NotADirectoryError):
        return NO_DATES
    except BrokenManifest as error:
        report(str(error))
    return None


def _moments_in(folder: str, report: Report) -> list[Timestamp]:
    try:
        return timestamps_in(folder)
    except OSError as error:
        report(f"{folder}: cannot be read: {error.strerror}")
        return []


def _amount_in(folder: str, report: Report) -> Amount:
    found = Amount()
    for moment in _moments_in(folder, report):
        size = _size_of(os.path.join(folder, timestamp.folder_of(moment)), report)
        if size is not None:
            found.add(size, moment)
    return found


def _size_of(tree: str, report: Report) -> TreeSize | None:
    """What a tree takes; nothing where nobody can say, and None where it was deleted meanwhile."""
    try:
        return size_of_tree(tree)
    except FileNotFoundError:
        return None
    except BrokenManifest as error:
        report(str(error))
    except OSError as error:
        report(f"{tree}: cannot be read: {error.strerror}")
    return NOTHING


def _together(works: Iterable[Work]) -> Work:
    found = Work()
    for each in works:
        found.merge(each)
    return found


def _later(one: Timestamp | None, other: Timestamp | None) -> Timestamp | None:
    return max((each for each in (one, other) if each is not None), default=None)
