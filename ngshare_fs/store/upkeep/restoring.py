"""Bringing back what lies in the trash: one rename to its place, as deleting it was one rename away from there.

What is restored is wholly at its place or wholly in the trash, whenever somebody looks and whatever dies. Where a new
name has to be written into a file of it, that is done while it is still in the trash.
"""

import contextlib
import os
import stat
from dataclasses import dataclass, replace

from ngshare_fs.formats import yaml_text
from ngshare_fs.store import course as courses
from ngshare_fs.store.errors import BrokenManifest
from ngshare_fs.store.format import course_file, layout, names, trash_file
from ngshare_fs.store.format.layout import KnownFolder
from ngshare_fs.store.format.trash_file import Deletion
from ngshare_fs.store.reading.yaml_file import read_once
from ngshare_fs.store.upkeep.trash_entries import TrashEntry, TrashError, deletions_in, entries_in
from ngshare_fs.store.volume import Volume, make_missing
from ngshare_fs.store.writing.last_check import LastCheck, no_check


class CannotRestore(TrashError):
    """Why something stays in the trash.

    Args:
        said: the text, for whoever works on the data folder.
        why: the same in a word, for others.
    """

    def __init__(self, said: str, why: str = "by-hand") -> None:
        super().__init__(said)
        self.why = why


class PlaceTaken(CannotRestore):
    """Something is where it was.

    Args:
        said: the text.
        free: another name that is free; empty where no other one will do.
    """

    def __init__(self, said: str, free: str) -> None:
        super().__init__(said, "taken")
        self.free = free


@dataclass(frozen=True)
class Restoration:
    """What is restored, and where to.

    Args:
        entry: in which it lies.
        deletion: what it is, by the name that it gets.
        place: the folder that it becomes.
        above: the folder around it that has to be there.
        lock: the scope of the lock that orders what is done at that place.
    """

    entry: TrashEntry
    deletion: Deletion
    place: str
    above: str
    lock: tuple[str, ...]


def plan(volume: Volume, entry: TrashEntry, new_name: str | None = None) -> Restoration:
    """Look whether something can be restored; nothing is changed.

    Args:
        new_name: of the course or assignment, in place of its own.

    Raises:
        PlaceTaken: something is at its place.
        CannotRestore: it is empty, nobody can say what it is, or what it belongs to is gone.
    """
    deletion = _deletion_of(entry)
    if new_name is not None:
        deletion = _renamed(entry, deletion, new_name)
    found = _place_of(volume, entry, deletion)
    if not layout.is_folder(found.above):
        raise CannotRestore(_what_is_gone(volume, deletion), "nowhere")
    if deletion.kind == trash_file.ASSIGNMENT and _has_another_name_inside(entry, deletion):
        raise CannotRestore(
            f"{deletion.assignment!r} is too long: the name would have to be written into each release. Give --as a "
            "shorter one",
            "too-long",
        )
    if _is_taken(found.place):
        raise _taken(volume, found)
    return found


def restore(volume: Volume, restoration: Restoration, last_check: LastCheck = no_check) -> None:
    """Put it in its place, and remove what is left of the entry.

    Args:
        last_check: made directly before it is moved.

    Raises:
        PlaceTaken: something is at its place by now.
        CannotRestore: it is not in the trash any more, or what it belongs to is gone.
        Interrupted: it was restored, and then moved with the folder above.
    """
    entry, deletion = restoration.entry, restoration.deletion
    content = entry.content
    try:
        with volume.locks.hold(*restoration.lock):
            above = KnownFolder.look(restoration.above)
            if deletion.kind == trash_file.COURSE:
                _write_name(volume, entry, content, deletion.course)
                _take_along(volume, entry, deletion.course)
            if deletion.kind == trash_file.SUBMISSION:
                make_missing(volume, os.path.dirname(os.path.dirname(restoration.place)))
            last_check()
            # Staged at its place, as what is thrown away is: a second rename would be a second step.
            with volume.publication(content) as publication:
                publication.publish(
                    restoration.place,
                    above=above,
                    makes_parent=deletion.kind != trash_file.COURSE,
                    if_taken=_taken(volume, restoration),
                )
    except FileNotFoundError:
        if not os.path.isdir(content):
            raise CannotRestore(f"{entry.name} is not in the trash any more", "gone") from None
        raise CannotRestore(_what_is_gone(volume, deletion), "nowhere") from None
    remove_rest(volume, entry)


def _deletion_of(entry: TrashEntry) -> Deletion:
    if entry.is_empty:
        raise CannotRestore(
            f"{entry.name} is empty: the deletion was cut short, and what it was to delete is still at its place",
            "empty",
        )
    by_hand = "look into it, and move what lies there back by hand"
    if entry.deletion is None or entry.contents is None:
        raise CannotRestore(
            f"nobody can say what {entry.name} was, {entry.problem}: mend that, or {by_hand}", "by-hand"
        )
    if entry.deletion.kind not in (trash_file.COURSE, trash_file.ASSIGNMENT, trash_file.SUBMISSION):
        raise CannotRestore(
            f"{entry.name} is neither a course nor an assignment nor a submission: {by_hand}", "by-hand"
        )
    if entry.deletion.folder not in entry.contents and len(entry.contents) > 1:
        raise CannotRestore(
            f"in {entry.name} are several things, and none is {entry.deletion.folder!r}: {by_hand}", "by-hand"
        )
    if os.path.islink(entry.content) or not os.path.isdir(entry.content):
        raise CannotRestore(f"what is in {entry.name} is no folder: {by_hand}")
    return entry.deletion


def _renamed(entry: TrashEntry, deletion: Deletion, new_name: str) -> Deletion:
    if deletion.kind == trash_file.SUBMISSION:
        raise CannotRestore("a submission has no other name than its timestamp: leave --as out", "no-name")
    try:
        names.folder_of(new_name)
    except ValueError as error:
        raise CannotRestore(f"--as: {error}", "bad-name") from None
    if deletion.kind == trash_file.COURSE:
        return replace(deletion, course=new_name)
    return replace(deletion, assignment=new_name)


def _place_of(volume: Volume, entry: TrashEntry, deletion: Deletion) -> Restoration:
    root, course = volume.root, deletion.course
    if deletion.kind == trash_file.COURSE:
        place, above = layout.course(root, course), layout.courses(root)
        return Restoration(entry, deletion, place, above, ("course", course))
    if deletion.kind == trash_file.ASSIGNMENT:
        place, above = layout.assignment(root, course, deletion.assignment), layout.course(root, course)
    else:
        assert deletion.submission is not None
        place = layout.submission(root, course, deletion.assignment, deletion.student, deletion.submission)
        above = layout.assignment(root, course, deletion.assignment)
    return Restoration(entry, deletion, place, above, ("publish", os.path.dirname(place)[len(root) :]))


def _has_another_name_inside(entry: TrashEntry, deletion: Deletion) -> bool:
    """Whether the folder's name would be cut, and its manifests say another one: then no name would lead to it."""
    folder = names.folder_of(deletion.assignment)
    return names.is_cut(folder) and folder != os.path.basename(entry.content)


def _is_taken(place: str) -> bool:
    # An empty folder gives way to the rename.
    try:
        return bool(os.listdir(place))
    except FileNotFoundError:
        return False
    except NotADirectoryError:
        return True


def _taken(volume: Volume, restoration: Restoration) -> PlaceTaken:
    deletion = restoration.deletion
    if deletion.kind == trash_file.SUBMISSION:
        return PlaceTaken(
            f"{deletion.student} has a submission of {deletion.submission} to {deletion.assignment} already, and a "
            "submission's time is its name: if that one is not wanted, delete it first; it goes to the trash as well",
            "",
        )
    is_course = deletion.kind == trash_file.COURSE
    name = deletion.course if is_course else deletion.assignment
    free = _free_name(volume, deletion, name)
    what = f"there is a course {name!r}" if is_course else f"{deletion.course} has an assignment {name!r}"
    return PlaceTaken(f"{what} already. Another name is free: --as {free!r}", free)


def _free_name(volume: Volume, deletion: Deletion, name: str) -> str:
    stem = name
    while names.is_cut(names.folder_of(f"{stem} (restored 999)")):
        stem = stem[: len(stem) * 3 // 4]
    tried = [f"{stem} (restored)", *(f"{stem} (restored {number})" for number in range(2, 1000))]
    for free in tried:
        folder = (
            layout.course(volume.root, free)
            if deletion.kind == trash_file.COURSE
            else layout.assignment(volume.root, deletion.course, free)
        )
        if not os.path.lexists(folder):
            return free
    return ""


def _what_is_gone(volume: Volume, deletion: Deletion) -> str:
    """Say what something belongs to that is not there, and where that may be."""
    course, assignment = deletion.course, deletion.assignment
    is_course = not courses.exists(volume, course)
    kind = trash_file.COURSE if is_course else trash_file.ASSIGNMENT
    said = f"there is no course {course!r}" if is_course else f"{course} has no assignment {assignment!r}"
    said += f" to which this {deletion.kind} could go back"
    for entry in entries_in(volume, course):
        found = entry.deletion
        if (
            found is not None
            and found.kind == kind
            and (is_course or found.assignment == assignment)
            and entry.contents
        ):
            return f"{said}: restore that first, it is in {entry.name}"
    return f"{said}, and it is not in the trash either: bring it back from a backup, or make one of that name"


def _write_name(volume: Volume, entry: TrashEntry, content: str, name: str) -> None:
    """Let a course's file in the trash say the name that the course gets, if it says another one.

    The entry says so first: whoever checks the volume after a crash in between is to know why they differ.
    """
    file = os.path.join(content, layout.COURSE_FILE)
    try:
        roster = read_once(file, course_file.understand)
    except (BrokenManifest, FileNotFoundError) as error:
        if names.folder_of(name) == os.path.basename(content):
            return  # as it was thrown away, so it is brought back
        raise CannotRestore(f"it has no {layout.COURSE_FILE} that could get the new name: {error}", "no-file") from None
    if roster.course == name:
        return
    said = os.path.join(entry.path, layout.TRASH_FILE)
    document = read_once(said, dict)
    _replace(volume, said, yaml_text.dump({**document, trash_file.RESTORED_AS: name}))
    _replace(volume, file, replace(roster, course=name).to_yaml())


def _take_along(volume: Volume, entry: TrashEntry, name: str) -> None:
    """Let what was deleted of a course go to the new name with it; else it were of a later course of the old one."""
    old = entry.deletion
    if old is not None and old.course != name:
        for each in deletions_in(volume, old.course, before=entry.name):
            give_to_course(volume, each, name)


def give_to_course(volume: Volume, entry: TrashEntry, course: str) -> None:
    """Let an assignment or submission in the trash be of a course that has another name by now."""
    file = os.path.join(entry.path, layout.TRASH_FILE)
    # It may be restored or emptied meanwhile.
    with contextlib.suppress(FileNotFoundError):
        _replace(volume, file, yaml_text.dump({**read_once(file, dict), "course": course}))


def _replace(volume: Volume, file: str, text: bytes) -> None:
    with volume.publishing() as publication:
        publication.dirty.write_file(publication.staged, text)
        os.chmod(publication.staged, stat.S_IMODE(os.stat(file).st_mode))
        publication.publish(file, above=KnownFolder.look(os.path.dirname(file)))


def remove_rest(volume: Volume, entry: TrashEntry) -> None:
    """Remove an entry out of which all was moved; whoever dies here leaves one that is shown as empty."""
    with contextlib.suppress(OSError):
        if os.listdir(entry.path) != [layout.TRASH_FILE]:
            return  # somebody put more there
        os.unlink(os.path.join(entry.path, layout.TRASH_FILE))
        os.rmdir(entry.path)
        dirty = volume.dirty_set()
        dirty.changed(os.path.dirname(entry.path))
        dirty.flush()
