"""Which tree a path leads to, and what its place says of it."""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from ngshare_fs.formats import yaml_text
from ngshare_fs.formats.yaml_text import BrokenYaml
from ngshare_fs.store.files.plain_file import NotPlain, open_plain
from ngshare_fs.store.format import course_file, layout, manifest, timestamp
from ngshare_fs.store.format.course_file import Roster
from ngshare_fs.store.format.manifest import FEEDBACK, RELEASE, SUBMISSION, Manifest
from ngshare_fs.store.format.names import folder_of, name_of
from ngshare_fs.store.format.timestamp import Timestamp
from ngshare_fs.store.repairing.step import Damage, Left

# `courses/NBG 101/assignments/ps1/releases/TIME` and `…/submissions/STUDENT/TIME/feedback/TIME`
_RELEASE = 6
_SUBMISSION = 7
_FEEDBACK = 9


@dataclass(frozen=True)
class TreePlace:
    """A place of a tree that is not in the trash.

    Args:
        root: the volume's folder.
        parts: the names on the way from there to the tree.
        kind: what belongs there; a withdrawal belongs where a release does.
    """

    root: str
    parts: tuple[str, ...]
    kind: str

    @classmethod
    def of(cls, damage: Damage) -> "TreePlace":
        """The tree that a damage is in.

        Raises:
            Left: it is in none, or in the trash.
        """
        if damage.is_in_trash:
            raise Left("it lies in the trash, from where nothing is served: bring it back first, then repair it")
        parts = damage.parts
        if parts[:1] == [layout.COURSES] and parts[2:3] == [layout.ASSIGNMENTS]:
            if parts[4:5] == [layout.RELEASES] and len(parts) >= _RELEASE:
                return cls(damage.root, tuple(parts[:_RELEASE]), RELEASE)
            if parts[4:5] == [layout.SUBMISSIONS] and len(parts) >= _SUBMISSION:
                if parts[_SUBMISSION : _SUBMISSION + 1] == [layout.FEEDBACK] and len(parts) >= _FEEDBACK:
                    return cls(damage.root, tuple(parts[:_FEEDBACK]), FEEDBACK)
                return cls(damage.root, tuple(parts[:_SUBMISSION]), SUBMISSION)
        raise Left("it is in no tree")

    @property
    def place(self) -> str:
        """Its folder, relative to the volume."""
        return "/".join(self.parts)

    @property
    def path(self) -> str:
        """Its folder."""
        return os.path.join(self.root, self.place)

    @property
    def manifest_place(self) -> str:
        """Its manifest, relative to the volume."""
        return f"{self.place}/{layout.MANIFEST}"

    @property
    def timestamp(self) -> Timestamp | None:
        """The time that its folder says."""
        return timestamp.from_folder(self.parts[-1])

    @property
    def submission(self) -> Timestamp | None:
        """Of feedback: the time of the submission that it is in."""
        return timestamp.from_folder(self.parts[_SUBMISSION - 1]) if self.kind == FEEDBACK else None

    @property
    def student_folder(self) -> str | None:
        """The folder of the student; None of a release."""
        return None if self.kind == RELEASE else self.parts[5]

    @property
    def folder_of_assignment(self) -> str:
        """The folder of its assignment."""
        return os.path.join(self.root, *self.parts[:4])

    def roster(self) -> Roster | None:
        """The roster of its course, where that can be read."""
        path = os.path.join(self.root, *self.parts[:2], layout.COURSE_FILE)
        try:
            return yaml_text.parse(read_plain(path), path, course_file.understand)
        except (OSError, BrokenYaml):
            return None

    def manifest(self) -> Manifest:
        """Its manifest.

        Raises:
            Left: it cannot be read or understood.
        """
        found = manifest_in(self.path)
        if found is None:
            raise Left("its manifest cannot be read")
        return found

    def course_name(self) -> str | None:
        """The name of its course, None where nobody can tell."""
        roster = self.roster()
        return name_of(self.parts[1]) or (
            roster.course if roster and folder_of(roster.course) == self.parts[1] else None
        )

    def assignment_name(self) -> str | None:
        """The name of its assignment, None where nobody can tell."""
        return name_of(self.parts[3]) or self._told_below(
            self.folder_of_assignment, self.parts[3], lambda found: found.assignment
        )

    def student_name(self) -> str | None:
        """Whose work it is, None where nobody can tell, or it is a release."""
        if self.student_folder is None:
            return None
        return name_of(self.student_folder) or self._told_below(
            os.path.join(self.root, *self.parts[:6]), self.student_folder, lambda found: found.student
        )

    def _told_below(self, folder: str, name_folder: str, told: Callable[[Manifest], str | None]) -> str | None:
        """A name whose folder was cut, from some manifest below it."""
        for found in manifests_below(folder):
            name = told(found)
            if name and folder_of(name) == name_folder:
                return name
        return None


def manifests_below(folder: str) -> Iterator[Manifest]:
    """The manifests below a folder that can be understood, in the order of their paths; no link is followed."""
    for above, folders, files in os.walk(folder):
        folders.sort()
        if layout.MANIFEST in files:
            # What somebody handed in may have such a name, too.
            folders[:] = [name for name in folders if name != layout.FILES]
            found = manifest_in(above)
            if found is not None:
                yield found


def manifest_in(tree: str) -> Manifest | None:
    """The manifest of a tree, None where it cannot be read or understood."""
    path = os.path.join(tree, layout.MANIFEST)
    try:
        return yaml_text.parse(read_plain(path), path, manifest.understand)
    except (OSError, BrokenYaml):
        return None


def course_in(path: str) -> str | None:
    """The name that a `course.yaml` has, None where it cannot be read or understood."""
    try:
        return yaml_text.parse(read_plain(path), path, course_file.understand).course
    except (OSError, BrokenYaml):
        return None


def read_plain(path: str) -> bytes:
    """The content of an ordinary file.

    Raises:
        OSError: it cannot be read, or is none.
    """
    with os.fdopen(open_plain(path), "rb") as file:
        return file.read()


def read_if_there(path: str, advice: str) -> bytes | None:
    """The content of an ordinary file; None where there is nothing.

    Args:
        advice: what to do where something else stands there.

    Raises:
        Left: it does.
        OSError: it cannot be read.
    """
    try:
        return read_plain(path)
    except FileNotFoundError:
        return None
    except NotPlain as error:
        raise Left(f"{error.strerror} stands in its place: {advice}") from None
