"""Renaming a user in courses: on rosters, the folders of what was handed in, and the manifests that say whose it is.

First all is looked at, and nothing is changed where something is in the way. Then, in each course: the roster, so that
nothing more is handed in under the old name; extensions; each folder, by one rename; the manifests in it. Of a name
that is cut only the newest manifest knows the whole, so there it comes before the folder. Cut off in between, `verify`
says `student-differs` of manifests that are still to be changed, and the same renaming finishes what was begun.

What others wrote stays as it was: who released, who gave feedback, and what lies in the trash.
"""

import contextlib
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, replace

from ngshare_fs.store import dates, roster
from ngshare_fs.store.assignment import assignments_of
from ngshare_fs.store.course import all_courses
from ngshare_fs.store.editable_file import EditableFile
from ngshare_fs.store.errors import AssignmentNotFound, BrokenManifest, StoreError
from ngshare_fs.store.format import layout
from ngshare_fs.store.format.assignment_file import AssignmentFile
from ngshare_fs.store.format.course_file import PERSON_KEYS, Person, Roster
from ngshare_fs.store.format.names import folder_of, is_cut
from ngshare_fs.store.format.role import Role
from ngshare_fs.store.reading.cached_folders import timestamps_in
from ngshare_fs.store.reading.tree import manifest_at
from ngshare_fs.store.renaming import extensions_of
from ngshare_fs.store.renaming.student_trees import change_manifest, renamed, trees_in
from ngshare_fs.store.volume import Volume


class NameInUse(StoreError):
    """Both names have handed in to one assignment: nobody can tell whose work it would be."""


@dataclass(frozen=True)
class InCourse:
    """What is to be renamed in one course.

    Args:
        course: its name.
        roles: the lists of the roster that have the old name.
        assignments: those with work of the old name, and how many trees that is.
        extensions: the assignments in whose dates the old name stands.
    """

    course: str
    roles: tuple[str, ...]
    assignments: Mapping[str, int]
    extensions: tuple[str, ...] = ()


def plan(volume: Volume, old: str, new: str, courses: Collection[str] = ()) -> list[InCourse]:
    """What there is to rename. Everything that may be in the way is looked at.

    Args:
        courses: in these only; in all where there are none.

    Raises:
        NameInUse: the new name has handed in to the same assignment; the text says where.
        CourseNotFound: there is no such course.
        BrokenManifest: a file that would have to be changed cannot be understood.
    """
    found = []
    for course in courses or all_courses(volume):
        people = roster.present(volume, course)
        roles = tuple(role.key for role in Role if old in people.people(role))
        assignments: dict[str, int] = {}
        extensions: list[str] = []
        for assignment in assignments_of(volume, course):
            count = _count(volume, course, assignment, old, new)
            if count:
                assignments[assignment] = count
            with contextlib.suppress(FileNotFoundError, NotADirectoryError):  # deleted meanwhile
                if extensions_of.names(_dates(volume, course, assignment).read().present, old):
                    extensions.append(assignment)
        if roles or assignments or extensions:
            found.append(InCourse(course, roles, assignments, tuple(extensions)))
    return found


def _dates(volume: Volume, course: str, assignment: str) -> EditableFile[AssignmentFile]:
    return dates.file_in(volume, layout.assignment(volume.root, course, assignment))


def _count(volume: Volume, course: str, assignment: str, old: str, new: str) -> int:
    """How many trees name the old name in an assignment, in its own folder or in that of the new name."""
    folder = layout.submissions_of(volume.root, course, assignment, old)
    target = layout.submissions_of(volume.root, course, assignment, new)
    if timestamps_in(folder):
        if layout.is_taken(target):
            raise NameInUse(f"{new} has handed in {assignment} in {course}, too")
        return sum(_student_of(volume, tree) is not None for tree in trees_in(folder))
    # What was cut off: the folder has the new name, and manifests the old one.
    return sum(_student_of(volume, tree) == old for tree in trees_in(target))


def _student_of(volume: Volume, tree: str) -> str | None:
    """Whose work a tree is; None where it was moved away, to the trash, say."""
    try:
        return manifest_at(volume.manifests, tree).student
    except BrokenManifest:
        if layout.is_folder(tree):
            raise
        return None


def rename(
    volume: Volume, planned: Collection[InCourse], old: str, new: str, told: Callable[[int], object] = lambda _: None
) -> None:
    """Rename a user where `plan` has found the old name.

    Args:
        told: of so many trees that are done.

    Raises:
        NameInUse: the new name has handed in since; all else up to there is renamed.
        CourseNotFound, AssignmentNotFound: it was deleted since.
        BrokenManifest: a file cannot be understood since.
    """
    for each in planned:
        if each.roles:
            roster.change(volume, each.course, lambda people: _renamed_in(people, old, new))
        for assignment in each.extensions:
            with _no_such(assignment):
                _dates(volume, each.course, assignment).change(lambda file: extensions_of.renamed(file, old, new))
        for assignment in each.assignments:
            with _no_such(assignment):
                _rename_in(volume, each.course, assignment, old, new, told)


@contextlib.contextmanager
def _no_such(assignment: str) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError:
        raise AssignmentNotFound(assignment) from None


def _rename_in(volume: Volume, course: str, assignment: str, old: str, new: str, told: Callable[[int], object]) -> None:
    folder = layout.submissions_of(volume.root, course, assignment, old)
    target = layout.submissions_of(volume.root, course, assignment, new)
    if timestamps_in(folder):
        if is_cut(folder_of(new)):
            newest = next(trees_in(folder))
            change_manifest(volume, newest, lambda manifest: renamed(manifest, old, new))
        taken = NameInUse(f"{new} has handed in {assignment} in {course} just now, too")
        # Under the lock of those who hand in: who looked at the roster before it was changed is there by now.
        with (
            volume.publication(folder) as publication,
            volume.locks.hold("publish", folder[len(volume.root) :]),
        ):
            publication.publish(target, if_taken=taken)
    for tree in trees_in(target):
        try:
            change_manifest(volume, tree, lambda manifest: renamed(manifest, old, new))
        except FileNotFoundError:
            if not layout.is_folder(target):
                raise
        told(1)


def _renamed_in(people: Roster, old: str, new: str) -> Roster:
    renamed = people
    for role in Role:
        renamed = renamed.with_people(role, _renamed_among(people.people(role), old, new))
    roles = [role for role in Role if new in renamed.people(role)]
    if len(roles) > 1:
        # What somebody wrote counts before what a group has brought, and the higher role before the lower one.
        kept = renamed.named_role(new) or roles[0]
        renamed = renamed.without(new).with_people(kept, renamed.people(kept))
    return renamed


def _renamed_among(people: Mapping[str, Person], old: str, new: str) -> Mapping[str, Person]:
    """People in their order. Where both names are among them, the new one's entry gets what only the old one's has."""
    if old not in people:
        return people
    if new not in people:
        return {new if name == old else name: person for name, person in people.items()}
    missing = {key: getattr(people[old], key) for key in PERSON_KEYS if not getattr(people[new], key)}
    more = {**people[old].more, **people[new].more}
    source = people[new].source if people[old].source else None
    merged = replace(people[new], **missing, more=more, source=source)
    return {name: merged if name == new else person for name, person in people.items() if name != old}
