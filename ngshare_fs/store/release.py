"""Releases: what an instructor hands out. The newest one is what students fetch.

An instructor may take the release of an assignment back, which deletes nothing: the withdrawal is one more entry among
the releases. While it is the newest one, students do not see the assignment; the next release brings it back.
"""

import contextlib
import os
import shutil
from collections.abc import Mapping
from datetime import datetime

from ngshare_fs.store import dates
from ngshare_fs.store.assignment import assignments_of, exists
from ngshare_fs.store.dated_tree import count_published, publish, put_in_place, stage, write_manifest_anew
from ngshare_fs.store.errors import (
    AssignmentExists,
    AssignmentNotFound,
    BrokenManifest,
    CourseNotFound,
    DamagedTree,
    concerns_one_place,
)
from ngshare_fs.store.format import layout, timestamp
from ngshare_fs.store.format.assignment_file import NO_DATES
from ngshare_fs.store.format.layout import KnownFolder
from ngshare_fs.store.format.manifest import RELEASE, WITHDRAWAL, Manifest, StoredFile
from ngshare_fs.store.format.timestamp import Timestamp
from ngshare_fs.store.reading.cached_folders import timestamps_in
from ngshare_fs.store.reading.one_folder import found_in_one
from ngshare_fs.store.reading.tree import Tree, manifest_at, newest_in
from ngshare_fs.store.volume import Volume, make_missing
from ngshare_fs.store.writing.last_check import LastCheck, no_check
from ngshare_fs.store.writing.publication import Publication
from ngshare_fs.store.writing.staging import still_there
from ngshare_fs.store.writing.upload import IncomingFile, Upload


def release(
    volume: Volume,
    course: str,
    assignment: str,
    by: str,
    upload: Upload,
    at: Timestamp | None = None,
    last_check: LastCheck = no_check,
    changes: Mapping[str, object] | None = None,
) -> Timestamp:
    """Release a new assignment, which appears with its first release or not at all; or one that is withdrawn, again.

    Args:
        by: the instructor.
        upload: the files; the caller discards what is left of it.
        at: the timestamp to give it instead of the present, for what was released elsewhere.
        last_check: made when all is staged.
        changes: dates that it gets, see `dates.change`. Before they count, nobody sees the release.

    Raises:
        AssignmentExists: it was released before, and not withdrawn.
        CourseNotFound: the course is gone.
        WrongDates: see `dates.change`.
        BrokenManifest: it is withdrawn, and its file of dates cannot be understood.
    """
    manifest = Manifest(RELEASE, course, assignment, by, at or timestamp.now(), ())
    file = dates.changed(NO_DATES, changes or {})
    target = layout.assignment(volume.root, course, assignment)
    taken = AssignmentExists(assignment)
    try:
        above = KnownFolder.look(layout.course(volume.root, course))
        make_missing(volume, os.path.dirname(target))  # a course that was made by hand
        with volume.publishing() as publication:
            staged, dirty = publication.staged, publication.dirty
            releases = os.path.join(staged, layout.RELEASES)
            for folder in (staged, releases, os.path.join(staged, layout.SUBMISSIONS)):
                dirty.make_folder(folder)
            if file != NO_DATES:
                dirty.write_file(os.path.join(staged, layout.ASSIGNMENT_FILE), file.to_yaml())
            tree = os.path.join(releases, timestamp.folder_of(manifest.timestamp))
            manifest = stage(upload, tree, manifest, dirty)
            while True:
                try:
                    publication.publish(target, above=above, last_check=last_check, if_taken=taken)
                    count_published(RELEASE)
                    return manifest.timestamp
                except AssignmentExists:
                    is_no_folder = os.path.lexists(target) and not layout.is_folder(target)
                    if is_no_folder or is_open(volume, course, assignment):
                        raise
                # It is withdrawn. Where it is deleted at this moment, it can be released as a new one after all.
                with (
                    contextlib.suppress(FileNotFoundError, AssignmentNotFound),
                    still_there(tree),
                    dates.changed_for(volume, course, assignment, changes, last_check),
                ):
                    return _release_withdrawn(volume, publication, tree, manifest, last_check)
                # The folder of the tree has the timestamp of the first attempt, and its manifest has to have it, too.
                write_manifest_anew(tree, manifest, dirty)
    except FileNotFoundError:
        raise CourseNotFound(course) from None


def _release_withdrawn(
    volume: Volume, publication: Publication, tree: str, manifest: Manifest, last_check: LastCheck
) -> Timestamp:
    """Put a staged release among those of a withdrawn assignment.

    Raises:
        AssignmentExists: it is not withdrawn any more.
        FileNotFoundError: it is not there any more.
    """
    course, assignment = manifest.course, manifest.assignment

    def check() -> None:
        last_check()
        if is_open(volume, course, assignment):
            raise AssignmentExists(assignment)

    above = KnownFolder.look(layout.assignment(volume.root, course, assignment))
    parent = layout.releases(volume.root, course, assignment)
    return put_in_place(volume, publication, tree, above, parent, manifest, is_dated=False, last_check=check)


def release_again(
    volume: Volume,
    course: str,
    assignment: str,
    by: str,
    upload: Upload,
    last_check: LastCheck = no_check,
    changes: Mapping[str, object] | None = None,
) -> Timestamp:
    """Make a new release of an assignment; submissions and earlier releases stay.

    Args:
        by: the instructor.
        upload: the files; the caller discards what is left of it.
        last_check: made when all is staged.
        changes: dates that it gets, see `dates.change`: directly before it, and what they were before counts again
            where it cannot be published; only what ends the process in between leaves the new dates without it. Where
            they show the assignment earlier, directly after it: nobody is to see what it replaces.

    Raises:
        AssignmentNotFound: it was never released, or was deleted meanwhile.
        WrongDates: see `dates.change`.
        BrokenManifest: there are changes, and its file of dates cannot be understood.
    """
    if changes and dates.show_earlier(volume, course, assignment, changes):
        moment = _publish(volume, course, assignment, upload, RELEASE, by, last_check)
        dates.change(volume, course, assignment, changes, last_check)
        return moment
    around = dates.changed_for(volume, course, assignment, changes, last_check)
    return _publish(volume, course, assignment, upload, RELEASE, by, last_check, around)


def withdraw(volume: Volume, course: str, assignment: str, by: str, last_check: LastCheck = no_check) -> None:
    """Take the release of an assignment back; all that was handed in stays. Nothing happens where it is taken back.

    Args:
        by: the instructor.
        last_check: made when all is staged.

    Raises:
        AssignmentNotFound: there is no such assignment, or it was deleted meanwhile.
    """
    with volume.upload() as nothing:
        _publish(volume, course, assignment, nothing, WITHDRAWAL, by, last_check)


def undo_withdrawal(
    volume: Volume, course: str, assignment: str, by: str, last_check: LastCheck = no_check
) -> Timestamp | None:
    """Release again what was taken back: the same files, as a new release.

    Args:
        by: the instructor.
        last_check: made when all is staged.

    Returns:
        its timestamp; None where nothing was taken back, and nothing happens.

    Raises:
        AssignmentNotFound: there is no such assignment, or nothing was ever released.
        DamagedTree: the files are damaged.
    """
    tree = newest(volume, course, assignment)
    if tree is None:
        raise AssignmentNotFound(assignment)

    def check() -> None:
        last_check()
        if is_open(volume, course, assignment):
            raise AssignmentExists(assignment)  # somebody else was faster

    with tree, volume.upload() as upload:
        if is_open(volume, course, assignment):
            return None
        upload.accept([_copied(tree, file, upload) for file in tree.manifest.files])
        with contextlib.suppress(AssignmentExists):
            return _publish(volume, course, assignment, upload, RELEASE, by, check)
    return None


def _copied(tree: Tree, file: StoredFile, upload: Upload) -> IncomingFile:
    """A file of a release on its way into another one."""
    staged = upload.new_file()
    with open(tree.open_file(file), "rb") as source, open(staged, "xb") as target:
        shutil.copyfileobj(source, target)
        if target.tell() != file.size:
            raise DamagedTree(f"{file.path} has {target.tell()} bytes instead of {file.size}")
    return IncomingFile(file.path, file.size, file.md5, staged=staged)


def history(volume: Volume, course: str, assignment: str) -> list[tuple[Timestamp, Manifest | None]]:
    """All releases and withdrawals, the newest first; None for the manifest of one that cannot be read.

    Raises:
        AssignmentNotFound: there is no such assignment.
    """
    releases = layout.releases(volume.root, course, assignment)
    found: list[tuple[Timestamp, Manifest | None]] = []
    for moment in reversed(timestamps_in(releases)):
        try:
            manifest = manifest_at(volume.manifests, os.path.join(releases, timestamp.folder_of(moment)))
        except BrokenManifest:
            found.append((moment, None))
        except FileNotFoundError:
            continue  # deleted meanwhile
        else:
            found.append((moment, manifest))
    if not found and not exists(volume, course, assignment):
        raise AssignmentNotFound(assignment)
    return found


def _publish(
    volume: Volume,
    course: str,
    assignment: str,
    upload: Upload,
    kind: str,
    by: str,
    last_check: LastCheck,
    around: contextlib.AbstractContextManager[object] | None = None,
) -> Timestamp:
    manifest = Manifest(kind, course, assignment, by, timestamp.now(), ())
    try:
        above = KnownFolder.look(layout.assignment(volume.root, course, assignment))
        parent = layout.releases(volume.root, course, assignment)
        return publish(volume, upload, above, parent, manifest, last_check=last_check, around=around)
    except FileNotFoundError:
        raise AssignmentNotFound(assignment) from None


def is_open(volume: Volume, course: str, assignment: str) -> bool:
    """Whether an assignment is there for students: not deleted, and not withdrawn.

    Where its newest entry is there and cannot be read, nobody can say that it is a withdrawal: work goes on.
    """
    releases = layout.releases(volume.root, course, assignment)
    while True:
        try:
            moment = newest_in(releases)
        except OSError as error:
            if concerns_one_place(error):
                return True
            raise
        if moment is None and not exists(volume, course, assignment):
            return False
        if moment is not None:
            with contextlib.suppress(BrokenManifest):
                newest = os.path.join(releases, timestamp.folder_of(moment))
                return manifest_at(volume.manifests, newest).kind != WITHDRAWAL
        # Deleted and released again in between, it may have another one.
        if newest_in(releases) == moment:
            return True


def last_changed(volume: Volume, course: str, assignment: str) -> Timestamp | None:
    """When an assignment was released or taken back for the last time; None where it never was."""
    return newest_in(layout.releases(volume.root, course, assignment))


def is_visible(volume: Volume, course: str, assignment: str, now: datetime) -> bool:
    """Whether students see an assignment at a time: it is open, and its release date, if it has one, has come.

    Raises:
        BrokenManifest: nobody can say when it is released.
    """
    if not is_open(volume, course, assignment):
        return False
    try:
        release_date = dates.written(volume, course, assignment).release
    except AssignmentNotFound:
        return False
    return release_date is None or now >= release_date.at


def visible_assignments(volume: Volume, course: str, now: datetime) -> list[str]:
    """The assignments of a course that students see at a time, in the order of their first release.

    One of which nobody can say when it is released is left out.

    Raises:
        CourseNotFound: there is no such course.
    """

    def is_shown(each: str) -> bool:
        with contextlib.suppress(BrokenManifest):
            return is_visible(volume, course, each, now)
        return False

    def look() -> list[str]:
        return [each for each in assignments_of(volume, course) if is_shown(each)]

    try:
        return found_in_one(layout.course(volume.root, course), look)
    except FileNotFoundError:
        raise CourseNotFound(course) from None


def newest(volume: Volume, course: str, assignment: str) -> Tree | None:
    """Open the newest release, also where it was taken back since.

    Returns:
        it; None where an assignment's folder has none, as one made by hand may.

    Raises:
        AssignmentNotFound: there is no such assignment.
    """
    releases = layout.releases(volume.root, course, assignment)
    try:
        # Without any, it may just have been deleted, and be released again by now.
        moments = timestamps_in(releases) or found_in_one(
            layout.assignment(volume.root, course, assignment), lambda: timestamps_in(releases)
        )
        for moment in reversed(moments):
            tree = Tree(volume.manifests, releases, moment)
            if tree.manifest.kind != WITHDRAWAL:
                return tree
            tree.close()
    except FileNotFoundError:
        raise AssignmentNotFound(assignment) from None
    return None
