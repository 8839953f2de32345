"""The largest of what is on a volume."""

import contextlib
import heapq
import os
from collections.abc import Callable, Iterator
from typing import NamedTuple

from ngshare_fs.store.errors import BrokenManifest
from ngshare_fs.store.format import layout, timestamp
from ngshare_fs.store.format.timestamp import Timestamp
from ngshare_fs.store.reading.cached_folders import timestamps_in
from ngshare_fs.store.reading.tree_size import manifest_of_tree
from ngshare_fs.store.upkeep.usage import assignment_name, folders_in, student_name
from ngshare_fs.store.volume import Volume


class LargeFile(NamedTuple):
    """A file in a published tree.

    Args:
        bytes: its size.
        course, assignment: where.
        student: whose submission it is in, or the feedback on it; empty where it is in a release.
        kind: of the tree, `release`, `submission` or `feedback`.
        timestamp: of the tree.
        path: in the tree.
    """

    bytes: int
    course: str
    assignment: str
    student: str
    kind: str
    timestamp: Timestamp
    path: str


def largest_files(
    volume: Volume,
    courses: list[str],
    number: int,
    is_wanted: Callable[[str, str], bool] = lambda assignment, student: True,
    step: Callable[[], object] = lambda: None,
) -> list[LargeFile]:
    """The largest files, the largest first; what cannot be read is passed over.

    Args:
        courses: in these.
        number: at most so many.
        is_wanted: whether an assignment and a student's work count; the student is empty for the releases.
        step: called for each assignment that was looked through.
    """
    return heapq.nlargest(number, _files(volume, courses, is_wanted, step))


def _files(
    volume: Volume, courses: list[str], is_wanted: Callable[[str, str], bool], step: Callable[[], object]
) -> Iterator[LargeFile]:
    for course in courses:
        for path in _folders(layout.assignments(volume.root, course)):
            assignment = assignment_name(volume.manifests, path)
            if assignment is not None:
                for student, trees in _trees_of(volume, path):
                    if is_wanted(assignment, student):
                        yield from _files_in(trees, course, assignment, student)
            step()


def _trees_of(volume: Volume, assignment: str) -> Iterator[tuple[str, str]]:
    """Pairs of a student, empty for the releases, and a folder of trees."""
    yield "", os.path.join(assignment, layout.RELEASES)
    for folder in _folders(os.path.join(assignment, layout.SUBMISSIONS)):
        student = student_name(volume.manifests, folder)
        if student is not None:
            yield student, folder


def _files_in(trees: str, course: str, assignment: str, student: str) -> Iterator[LargeFile]:
    with contextlib.suppress(OSError):
        for moment in timestamps_in(trees):
            tree = os.path.join(trees, timestamp.folder_of(moment))
            with contextlib.suppress(BrokenManifest, OSError):
                said = manifest_of_tree(tree)
                for file in said.files:
                    yield LargeFile(file.size, course, assignment, student, said.kind, moment, file.path)
            if student:
                yield from _files_in(os.path.join(tree, layout.FEEDBACK), course, assignment, student)


def _folders(parent: str) -> list[str]:
    return folders_in(parent, lambda _: None)
