"""Releases: what an instructor hands out. The newest one is what students fetch."""

import os

from ngshare_fs.store import layout, timestamp
from ngshare_fs.store.assignment import identity
from ngshare_fs.store.course import rename_unless_there
from ngshare_fs.store.directory_tree import Upload
from ngshare_fs.store.errors import AssignmentExists, AssignmentNotFound, CourseNotFound
from ngshare_fs.store.layout import KnownFolder
from ngshare_fs.store.manifest import RELEASE, Manifest
from ngshare_fs.store.published import Tree, newest_in, publish, write_manifest
from ngshare_fs.store.timestamp import Timestamp
from ngshare_fs.store.volume import Volume


def release(
    volume: Volume, course: str, assignment: str, by: str, upload: Upload, at: Timestamp | None = None
) -> Timestamp:
    """Release a new assignment; it appears with its first release, or not at all.

    Args:
        by: the instructor.
        at: the timestamp to give it instead of the present, for sample data.

    Raises:
        AssignmentExists: it was released before.
        CourseNotFound: the course is gone.
    """
    unflushed = volume.unflushed()
    moment = at or timestamp.now()
    target = layout.assignment(volume.root, course, assignment)
    parent = os.path.dirname(target)
    try:
        above = KnownFolder.look(layout.course(volume.root, course))
        with volume.staging.tree() as staged:
            releases = os.path.join(staged, layout.RELEASES)
            for folder in (staged, releases, os.path.join(staged, layout.SUBMISSIONS)):
                unflushed.make_folder(folder)
            tree = os.path.join(releases, timestamp.folder_of(moment))
            upload.write_tree(tree, unflushed)
            write_manifest(tree, Manifest(RELEASE, course, assignment, by, moment, ()), upload, unflushed)
            unflushed.flush()
            above.check()  # all that took its time
            if not layout.is_folder(parent):  # a course that was made by hand
                unflushed.make_folder_unless_there(parent)
            rename_unless_there(staged, target, AssignmentExists(assignment))
        unflushed.changed(parent)
        unflushed.flush()
    except FileNotFoundError:
        raise CourseNotFound(course) from None
    return moment


def release_again(volume: Volume, course: str, assignment: str, by: str, upload: Upload) -> Timestamp:
    """Make a new release of an assignment; submissions and earlier releases stay.

    Raises:
        AssignmentNotFound: it was never released, or was deleted meanwhile.
    """
    manifest = Manifest(RELEASE, course, assignment, by, timestamp.now(), ())
    try:
        above = KnownFolder.look(layout.assignment(volume.root, course, assignment))
        return publish(volume, upload, above, layout.releases(volume.root, course, assignment), manifest)
    except FileNotFoundError:
        raise AssignmentNotFound(assignment) from None


def newest(volume: Volume, course: str, assignment: str) -> Tree | None:
    """Open the newest release; None where an assignment's folder has none, as one made by hand may.

    Raises:
        AssignmentNotFound: there is no such assignment.
    """
    releases = layout.releases(volume.root, course, assignment)
    moment = newest_in(releases)
    while moment is None:
        looked_at = identity(volume, course, assignment)
        if looked_at is None:
            raise AssignmentNotFound(assignment)
        moment = newest_in(releases)
        # Deleted and released again in between, it may well have a release.
        if moment is None and identity(volume, course, assignment) == looked_at:
            return None
    try:
        return Tree(volume, releases, moment)
    except FileNotFoundError:
        raise AssignmentNotFound(assignment) from None
