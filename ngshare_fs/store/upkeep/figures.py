"""How much is on a volume: counted by walking through it, from the folders and the sizes of the files alone."""

import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace

from ngshare_fs.store.errors import BrokenManifest
from ngshare_fs.store.format import course_file, layout, names, timestamp
from ngshare_fs.store.format.count_file import CourseFigures
from ngshare_fs.store.format.role import Role
from ngshare_fs.store.format.timestamp import Timestamp
from ngshare_fs.store.reading.fingerprint import FileFingerprint, fingerprint_of
from ngshare_fs.store.reading.yaml_file import read_once
from ngshare_fs.store.volume import Volume

KINDS = ("release", "submission", "feedback", "trash", "journal")
STORED = ("release", "submission", "feedback")


@dataclass
class Figures:
    """What there is. What vanishes meanwhile, or may not be read, is left out.

    Args:
        courses, assignments, submissions: so many.
        files, bytes: so many, by kind: `KINDS`.
        staging_entries: uploads that are not published, those of dead processes among them.
        of_courses: of each course, by name.
        of_trash: bytes of each entry in the trash, by its name.
    """

    courses: int = 0
    assignments: int = 0
    submissions: int = 0
    files: dict[str, int] = field(default_factory=lambda: dict.fromkeys(KINDS, 0))
    bytes: dict[str, int] = field(default_factory=lambda: dict.fromkeys(KINDS, 0))
    staging_entries: int = 0
    of_courses: dict[str, CourseFigures] = field(default_factory=dict)
    of_trash: dict[str, int] = field(default_factory=dict)

    @property
    def stored(self) -> int:
        """The bytes of all that is in courses."""
        return sum(self.bytes[kind] for kind in STORED)


class Rosters:
    """How many are on rosters; a file that has not changed since the last count is not parsed again."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[FileFingerprint, CourseFigures]] = {}

    def figures_of(self, course: str) -> CourseFigures | None:
        """What the file of a course says, for the rest to be counted; None where nobody can say what it is called.

        Args:
            course: its folder.
        """
        folder, file = os.path.basename(course), os.path.join(course, layout.COURSE_FILE)
        with suppress(OSError, BrokenManifest):
            present = fingerprint_of(os.stat(file))
            fingerprint, found = self._known.get(file, (None, None))
            if fingerprint != present or found is None:
                people = read_once(file, course_file.understand)
                instructors, graders, students = (len(people.listed(role)) for role in Role)
                found = CourseFigures(people.course, instructors, graders, students, people.rules.quota)
                self._known[file] = (present, found)
            if names.folder_of(found.course) == folder:
                return found
        name = names.name_of(folder)
        return None if name is None or names.is_cut(folder) else CourseFigures(name)

    def forget_others(self, courses: list[str]) -> None:
        """Forget those of courses that are gone."""
        files = {os.path.join(course, layout.COURSE_FILE) for course in courses}
        self._known = {file: known for file, known in self._known.items() if file in files}


def collect(volume: Volume, pause: Callable[[], None], rosters: Rosters | None = None) -> Figures:
    """Count.

    Args:
        pause: called again and again; it may take its time, and what it raises ends the walk.
        rosters: what the last count has read of them.
    """
    found, rosters = Figures(), rosters or Rosters()
    courses = list(_folders(layout.courses(volume.root)))
    rosters.forget_others(courses)
    for course in courses:
        if os.path.lexists(os.path.join(course, layout.COURSE_FILE)):
            found.courses += 1
            of_course = _Walked()
            for assignment in _folders(os.path.join(course, layout.ASSIGNMENTS)):
                found.assignments += 1
                of_course.assignments += 1
                _count_assignment(assignment, found, of_course, pause)
            known = rosters.figures_of(course)
            if known is not None:
                found.of_courses[known.course] = of_course.added_to(known)
    for entry in _folders(os.path.join(volume.root, layout.TRASH)):
        found.of_trash[os.path.basename(entry)] = _add(found, "trash", entry, pause)
    for folder in _folders(os.path.join(volume.root, layout.JOURNAL)):
        _add(found, "journal", folder, pause)
    for folder in _folders(os.path.join(volume.root, layout.STAGING)):
        with suppress(OSError):
            found.staging_entries += len(os.listdir(folder))
    return found


@dataclass
class _Walked:
    """What a course has, as far as the walk has come."""

    assignments: int = 0
    submissions: int = 0
    bytes: int = 0
    latest: str = ""

    def at(self, tree: str) -> None:
        """There is a tree."""
        self.latest = max(self.latest, os.path.basename(tree))

    def added_to(self, known: CourseFigures) -> CourseFigures:
        """All that is known of it."""
        last_activity: Timestamp | None = timestamp.from_folder(self.latest)
        return replace(
            known,
            assignments=self.assignments,
            submissions=self.submissions,
            stored=self.bytes,
            last_activity=last_activity,
        )


def _count_assignment(assignment: str, found: Figures, of_course: _Walked, pause: Callable[[], None]) -> None:
    for tree in _trees(os.path.join(assignment, layout.RELEASES)):
        of_course.at(tree)
        of_course.bytes += _add(found, "release", tree, pause)
    for student in _folders(os.path.join(assignment, layout.SUBMISSIONS)):
        for tree in _trees(student):
            found.submissions += 1
            of_course.submissions += 1
            of_course.at(tree)
            of_course.bytes += _add(found, "submission", tree, pause, but=layout.FEEDBACK)
            feedback = os.path.join(tree, layout.FEEDBACK)
            for given in _trees(feedback):
                of_course.at(given)
            of_course.bytes += _add(found, "feedback", feedback, pause)


def _add(found: Figures, kind: str, folder: str, pause: Callable[[], None], but: str = "") -> int:
    """Add all files below a folder.

    Args:
        but: a folder in it that is left out.

    Returns:
        what they take, without the manifests of trees: what a quota counts.
    """
    handed_in = 0
    for path, folders, files in os.walk(folder):
        if path == folder and but in folders:
            folders.remove(but)
        for name in files:
            with suppress(OSError):
                size = os.lstat(os.path.join(path, name)).st_size
                found.bytes[kind] += size
                found.files[kind] += 1
                # Beside `files`, there is nothing else.
                handed_in += 0 if name == layout.MANIFEST and layout.FILES in folders else size
    pause()
    return handed_in


def _folders(parent: str) -> Iterator[str]:
    with suppress(OSError), os.scandir(parent) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                yield entry.path


def _trees(parent: str) -> Iterator[str]:
    return (path for path in _folders(parent) if timestamp.from_folder(os.path.basename(path)))
