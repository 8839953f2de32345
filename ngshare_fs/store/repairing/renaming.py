"""Folders that get the name, or the place, that their content says."""

import os
from dataclasses import replace
from urllib.parse import unquote_to_bytes

from ngshare_fs.store import roster
from ngshare_fs.store.errors import CourseNotFound
from ngshare_fs.store.format import course_file, layout, timestamp
from ngshare_fs.store.format.manifest import FEEDBACK, RELEASE, SUBMISSION, WITHDRAWAL, Manifest
from ngshare_fs.store.format.names import folder_of, name_of
from ngshare_fs.store.format.timestamp import Timestamp
from ngshare_fs.store.repairing.quarantine import keep_copy, set_aside_at
from ngshare_fs.store.repairing.step import Damage, Left, Step
from ngshare_fs.store.repairing.tree_place import TreePlace, course_in, manifest_in, manifests_below
from ngshare_fs.store.volume import Volume

_TAKEN = "the place is taken"


def as_name_says(damage: Damage) -> Step:
    """`%61` becomes `a`: a folder gets the name that the rule for names makes of what it reads as."""
    if damage.is_in_trash:
        raise Left("it lies in the trash, from where nothing is served")
    folder = damage.parts[-1]
    try:
        name = _read_as(folder)
    except UnicodeError:
        raise Left("its name is no UTF-8, so nobody can tell what is meant: rename it") from None
    canonical = folder_of(name)
    if damage.parts[4:5] == [layout.SUBMISSIONS]:
        told = {found.student for found in manifests_below(damage.path)}
        if told != {name}:
            raise Left(f"it reads as {name!r}, which not all manifests in it say of the student: look whose work it is")
    return rename(damage, damage.place, os.path.join(os.path.dirname(damage.place), canonical))


def as_time_says(damage: Damage) -> Step:
    """A tree gets the folder of the time that its manifest has."""
    tree = TreePlace.of(damage)
    moment = tree.manifest().timestamp
    _check_time(moment)
    return rename(damage, tree.place, f"{os.path.dirname(tree.place)}/{timestamp.folder_of(moment)}")


def as_time_says_or_aside(damage: Damage) -> Step:
    """The same for a folder whose name is no time; where that cannot be, it is set aside: it is not served anyway."""
    aside = "move it to quarantine in the trash: {}"
    if damage.is_in_trash:
        return set_aside_at(damage, damage.place, aside.format("it is no entry of the trash"))
    tree = TreePlace.of(damage)
    found = manifest_in(tree.path)
    if found is None or not _belongs_here(found, tree):
        return set_aside_at(damage, damage.place, aside.format("it has no manifest that belongs here"))
    try:
        return as_time_says(damage)
    except Left as reason:
        return set_aside_at(damage, damage.place, aside.format(f"it cannot be renamed, for {reason}"))


def as_releases_say(damage: Damage) -> Step:
    """An assignment's folder with a cut name, which nothing inside bears out, gets the name that its releases say."""
    tree = TreePlace.of(damage)
    told = {found.assignment for found in manifests_below(os.path.join(tree.folder_of_assignment, layout.RELEASES))}
    if len(told) != 1 or not (name := told.pop()):
        raise Left("its releases do not agree on a name: move the folder to its place")
    place = "/".join(tree.parts[:4])
    return rename(damage, place, os.path.join(os.path.dirname(place), folder_of(name)))


def course_as_named(damage: Damage) -> Step:
    """A course whose folder was renamed: its file gets the name. Where that is cut, the folder gets the file's."""
    if damage.is_in_trash:
        raise Left("it lies in the trash: bring it back under the name that is wanted")
    folder = damage.parts[1]
    name = name_of(folder)
    if name is None:
        said = course_in(damage.path)
        if said is None:
            raise Left("it cannot be read any more")
        return rename(damage, f"{layout.COURSES}/{folder}", f"{layout.COURSES}/{folder_of(said)}")

    def mend(volume: Volume, by: str) -> None:
        # A server's change loses comments, too; here the old file is kept with them.
        keep_copy(volume.root, volume.flusher, damage.place, damage.finding, by)
        try:
            roster.change(volume, name, lambda found: _with_course(found, name))
        except CourseNotFound:
            raise Left("it is not there any more") from None

    words = f"write `course: {name}` into it; a copy of the present file goes to quarantine"
    return Step(damage, words, damage.place, mend)


def folder_without_course(damage: Damage) -> Step:
    """What has neither `course.yaml` nor `assignments` is no course."""
    folder = os.path.dirname(damage.place)
    if os.path.lexists(os.path.join(damage.root, folder, layout.ASSIGNMENTS)):
        raise Left("who teaches and who takes the course stands nowhere else: restore the file, or write it")
    return set_aside_at(damage, folder, "move the folder, which is no course, to quarantine in the trash")


def to_its_submission(damage: Damage) -> Step:
    """Feedback that lies in another submission of the same student goes to the one that its manifest names."""
    tree = TreePlace.of(damage)
    found = tree.manifest()
    if found.submission is None:
        raise Left("its manifest names no submission: find out which one it is on")
    _check_time(found.submission)
    if not found.student or folder_of(found.student) != tree.student_folder:
        raise Left("its manifest names another student: find out whose work it is on")
    above = os.path.dirname(os.path.dirname(tree.path))
    holder = manifest_in(above)
    if holder is not None and holder.timestamp == found.submission:
        raise Left("the submission's own folder has another time than its manifest: that has to be mended first")
    student = os.path.dirname(os.path.dirname(os.path.dirname(tree.place)))
    submission = f"{student}/{timestamp.folder_of(found.submission)}"
    if not os.path.isdir(os.path.join(damage.root, submission)):
        raise Left(f"the submission that it names, {found.submission}, is not there: restore that from a backup")
    return rename(damage, tree.place, f"{submission}/{layout.FEEDBACK}/{tree.parts[-1]}")


def rename(damage: Damage, place: str, to: str) -> Step:
    """Give something another name, or another place, which has to be free.

    Args:
        place, to: from where and where to, relative to the volume.

    Raises:
        Left: the place is taken.
    """
    source, target = os.path.join(damage.root, place), os.path.join(damage.root, to)
    seen = os.lstat(source)
    if os.path.lexists(target):
        raise Left(f"{_TAKEN} ({to})")

    def mend(volume: Volume, by: str) -> None:
        # The lock under which trees are published there, and the one under which a course is made.
        scope = ("course", name_of(os.path.basename(to)) or "") if to.count("/") == 1 else ("publish", _above(to))
        with volume.publication(source) as publication:
            with volume.locks.hold(*scope):
                status = os.lstat(source) if os.path.lexists(source) else None
                if status is None or (status.st_dev, status.st_ino) != (seen.st_dev, seen.st_ino):
                    raise Left("it is not as it was any more: run this again")
                if os.path.lexists(target):
                    raise Left(f"{_TAKEN} ({to})")
                publication.publish(target, makes_parent=True, if_taken=Left(f"{_TAKEN} ({to})"))
            publication.dirty.changed(os.path.dirname(source))

    return Step(damage, f"rename it to {to}" if place == damage.place else f"rename {place} to {to}", place, mend)


def _above(place: str) -> str:
    return f"/{os.path.dirname(place)}"


def _read_as(folder: str) -> str:
    return unquote_to_bytes(os.fsencode(folder)).decode("utf-8")


def _check_time(moment: Timestamp) -> None:
    if timestamp.from_folder(timestamp.folder_of(moment)) != moment:
        raise Left(f"its manifest says {moment!r}, which is no time: restore the manifest from a backup")


def _belongs_here(found: Manifest, tree: TreePlace) -> bool:
    kinds = (RELEASE, WITHDRAWAL) if tree.kind == RELEASE else (tree.kind,)
    if found.kind not in kinds:
        return False
    if tree.kind in (SUBMISSION, FEEDBACK) and (not found.student or folder_of(found.student) != tree.student_folder):
        return False
    return tree.kind != FEEDBACK or found.submission == tree.submission


def _with_course(found: course_file.Roster, name: str) -> course_file.Roster:
    return replace(found, course=name)
