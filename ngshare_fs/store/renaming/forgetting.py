"""Forgetting a user: what a volume has of a person is removed for good, and not moved to the trash.

Gone is what the person handed in, the feedback on it, the entries on rosters and the extensions; where the name stands
in what belongs to others (who released, who gave feedback or more time, the journal), a word that is nobody's name
takes its place. What lies in the trash is treated likewise. Each removal is one rename, so being cut off leaves some of
them to be done again.
"""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial

from ngshare_fs.formats import yaml_text
from ngshare_fs.formats.yaml_text import BrokenYaml, Node
from ngshare_fs.store import dates
from ngshare_fs.store.course import all_courses
from ngshare_fs.store.editable_file import EditableFile
from ngshare_fs.store.errors import BrokenManifest
from ngshare_fs.store.files.plain_file import open_plain
from ngshare_fs.store.format import layout, trash_file
from ngshare_fs.store.format.course_file import Roster
from ngshare_fs.store.format.manifest import Manifest
from ngshare_fs.store.format.names import folder_of, name_of
from ngshare_fs.store.format.trash_file import Deletion
from ngshare_fs.store.journal import names
from ngshare_fs.store.reading.tree import manifest_at
from ngshare_fs.store.renaming import extensions_of
from ngshare_fs.store.renaming.student_trees import change_manifest, trees_in
from ngshare_fs.store.volume import Volume

PLACEHOLDER = "(forgotten)"

ROSTER = "roster"
EXTENSION = "extension"
SUBMISSIONS = "submissions"
NAME = "name"
JOURNAL = "journal"


@dataclass(frozen=True)
class Removal:
    """One thing to remove.

    Args:
        what: `roster`, an entry; `extension`, more time for an assignment; `submissions`, what was handed in to one
            assignment, with the feedback on it; `name`, in a file of others; `journal`, the name in lines of it.
        place: the path on the volume.
        course, assignment: whose it is, as far as it applies.
        count: how many submissions, files or lines.
        size: of all files that are removed, in bytes.
        act: removes it.
    """

    what: str
    place: str
    course: str
    assignment: str
    count: int
    size: int
    act: Callable[[], object] = field(repr=False, compare=False)


class Search:
    """Looks for a person on a volume.

    Args:
        volume: where.
        user: the name.
        courses: in these only, their trash and journals; everywhere where there are none.
        told: of so many trees that were looked at.

    Attributes:
        unknown: the files that cannot be understood, so that nobody knows who is named there.
        seen: the courses that are there, or in the trash.
    """

    def __init__(
        self, volume: Volume, user: str, courses: list[str], told: Callable[[int], object] = lambda _: None
    ) -> None:
        self.unknown: list[str] = []
        self.seen: set[str] = set()
        self._volume = volume
        self._user = user
        self._courses = courses
        self._told = told

    def removals(self) -> Iterator[Removal]:
        """What there is to remove; the rosters of a course first, so that nothing more is handed in to it."""
        for course in self._courses or all_courses(self._volume):
            yield from self._in_course(layout.course(self._volume.root, course), course)
        trash = os.path.join(self._volume.root, layout.TRASH)
        for name in layout.names_in(trash):
            yield from self._in_trash(os.path.join(trash, name))
        for file, lines in names.files_naming(self._volume, self._user, self._courses):
            yield self._removal(JOURNAL, file, lines, partial(self._replace_in_journal, file))

    def _in_course(self, folder: str, course: str) -> Iterator[Removal]:
        file = os.path.join(folder, layout.COURSE_FILE)
        people = EditableFile(self._volume, file, self._volume.rosters, Roster.to_yaml, lock=("course", course))
        try:
            roster = people.read().present
            if self._user in roster:
                yield self._removal(ROSTER, file, 1, lambda: people.change(self._without_user), course)
        except BrokenManifest:
            self.unknown.append(self._relative(file))
        except (FileNotFoundError, NotADirectoryError):
            return
        self.seen.add(course)
        assignments = os.path.join(folder, layout.ASSIGNMENTS)
        for name in layout.names_in(assignments):
            yield from self._in_assignment(os.path.join(assignments, name), course)

    def _in_assignment(self, folder: str, course: str) -> Iterator[Removal]:
        assignment = name_of(os.path.basename(folder)) or os.path.basename(folder)
        yield from self._in_dates(folder, course, assignment)
        yield from self._in_trees(os.path.join(folder, layout.RELEASES), course, assignment)
        submissions = os.path.join(folder, layout.SUBMISSIONS)
        for student in layout.names_in(submissions):
            place = os.path.join(submissions, student)
            if student == folder_of(self._user):
                yield self._whole(place, course, assignment)
            else:
                yield from self._in_trees(place, course, assignment)

    def _in_dates(self, folder: str, course: str, assignment: str) -> Iterator[Removal]:
        file = dates.file_in(self._volume, folder)
        try:
            found = file.read().present
        except BrokenManifest:
            self.unknown.append(self._relative(file.path))
            return
        except (FileNotFoundError, NotADirectoryError):
            return
        user = self._user
        if user in found.extensions:
            act = partial(file.change, lambda present: present.without(user))
            yield self._removal(EXTENSION, file.path, 1, act, course, assignment)
        given = sum(each.by == user for name, each in found.extensions.items() if name != user)
        if given:
            act = partial(file.change, lambda present: extensions_of.given_by(present, user, PLACEHOLDER))
            yield self._removal(NAME, file.path, given, act, course, assignment)

    def _in_trees(self, folder: str, course: str, assignment: str) -> Iterator[Removal]:
        for tree in trees_in(folder):
            yield from self._in_tree(tree, course, assignment)

    def _in_tree(self, tree: str, course: str, assignment: str) -> Iterator[Removal]:
        self._told(1)
        try:
            found = manifest_at(self._volume.manifests, tree)
        except BrokenManifest:
            self.unknown.append(self._relative(os.path.join(tree, layout.MANIFEST)))
            return
        if found.by == self._user:
            act = partial(change_manifest, self._volume, tree, self._without_name)
            yield self._removal(NAME, os.path.join(tree, layout.MANIFEST), 1, act, course, assignment)

    def _in_trash(self, entry: str) -> Iterator[Removal]:
        file = os.path.join(entry, layout.TRASH_FILE)
        try:
            document = _document(file)
            if document.get("kind") == trash_file.QUARANTINE:
                yield from self._in_quarantine(entry, document)
                return
            deletion = yaml_text.parse(_content(file), file, trash_file.understand)
        except (FileNotFoundError, NotADirectoryError):
            return  # a deletion that was cut short
        except (OSError, BrokenYaml):
            self.unknown.append(self._relative(file))
            return
        if self._courses and deletion.course not in self._courses:
            return
        self.seen.add(deletion.course)
        if deletion.kind == trash_file.SUBMISSION and deletion.student == self._user:
            yield self._whole(entry, deletion.course, deletion.assignment)
            return
        if deletion.by == self._user:
            act = partial(self._replace, file, yaml_text.dump({**document, "by": PLACEHOLDER}))
            yield self._removal(NAME, file, 1, act, deletion.course, deletion.assignment)
        yield from self._in_deleted(os.path.join(entry, deletion.folder), deletion)

    def _in_quarantine(self, entry: str, document: dict[str, Node]) -> Iterator[Removal]:
        """Something that `repair` has set aside, of any kind: of whom it is, the path tells where it was."""
        parts = str(document.get("path", "")).split("/")
        course = name_of(parts[1]) or parts[1] if len(parts) > 1 and parts[0] == layout.COURSES else ""
        if self._courses and course not in self._courses:
            return
        self.seen.add(course)
        if parts[4:5] == [layout.SUBMISSIONS] and parts[5:6] == [folder_of(self._user)]:
            yield self._whole(entry, course, name_of(parts[3]) or parts[3])
        else:
            self.unknown.append(self._relative(entry))

    def _in_deleted(self, folder: str, deletion: Deletion) -> Iterator[Removal]:
        if deletion.kind == trash_file.COURSE:
            yield from self._in_course(folder, deletion.course)
        elif deletion.kind == trash_file.ASSIGNMENT:
            yield from self._in_assignment(folder, deletion.course)
        else:
            for tree in (folder, *trees_in(os.path.join(folder, layout.FEEDBACK))):
                yield from self._in_tree(tree, deletion.course, deletion.assignment)

    def _whole(self, place: str, course: str, assignment: str) -> Removal:
        size = sum(
            os.lstat(os.path.join(folder, name)).st_size for folder, _, names in os.walk(place) for name in names
        )
        return self._removal(
            SUBMISSIONS, place, _submissions_in(place), lambda: self._remove(place), course, assignment, size
        )

    def _removal(
        self,
        what: str,
        path: str,
        count: int,
        act: Callable[[], object],
        course: str = "",
        assignment: str = "",
        size: int = 0,
    ) -> Removal:
        return Removal(what, self._relative(path), course, assignment, count, size, act)

    def _relative(self, path: str) -> str:
        return os.path.relpath(path, self._volume.root)

    def _without_user(self, people: Roster) -> Roster:
        return people.without(self._user)

    def _without_name(self, manifest: Manifest) -> Manifest:
        return replace(manifest, by=PLACEHOLDER) if manifest.by == self._user else manifest

    def _replace_in_journal(self, file: str) -> None:
        names.replace_name(self._volume, file, self._user, PLACEHOLDER)

    def _replace(self, file: str, content: bytes) -> None:
        with self._volume.publishing() as publication:
            publication.dirty.write_file(publication.staged, content)
            publication.publish(file)

    def _remove(self, place: str) -> None:
        """Away from its place by one rename, for good; what cannot be removed then is swept with what is staged."""
        staged = self._volume.staging.new_path()
        os.rename(place, staged)
        dirty = self._volume.dirty_set()
        dirty.changed(os.path.dirname(place))
        dirty.flush()
        self._volume.staging.remove(staged)


def _submissions_in(place: str) -> int:
    return sum(os.path.basename(os.path.dirname(tree)) != layout.FEEDBACK for tree in trees_in(place)) or 1


def _content(file: str) -> bytes:
    with open(open_plain(file), "rb") as opened:
        return opened.read()


def _document(file: str) -> dict[str, Node]:
    return yaml_text.parse(_content(file), file, lambda document: document)
