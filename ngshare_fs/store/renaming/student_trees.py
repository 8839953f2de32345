"""What a student handed in, and the feedback on it, as trees whose manifests name people; and changing those names.

A manifest is replaced by one rename, and the files that it lists stay what they are: a reader sees the old names or the
new ones.
"""

import os
from collections.abc import Callable, Iterator
from dataclasses import replace

from ngshare_fs.store.errors import BrokenManifest
from ngshare_fs.store.format import layout, timestamp
from ngshare_fs.store.format.layout import KnownFolder
from ngshare_fs.store.format.manifest import SUBMISSION, Manifest
from ngshare_fs.store.reading.cached_folders import timestamps_in
from ngshare_fs.store.reading.tree import manifest_at
from ngshare_fs.store.volume import Volume


def trees_in(folder: str) -> Iterator[str]:
    """The paths of the trees in a folder of dated trees, the newest first, and of those of feedback in them."""
    for moment in reversed(timestamps_in(folder)):
        tree = os.path.join(folder, timestamp.folder_of(moment))
        yield tree
        yield from trees_in(os.path.join(tree, layout.FEEDBACK))


def renamed(manifest: Manifest, old: str, new: str) -> Manifest:
    """A manifest of a student's tree after the student was renamed; who gave feedback or released stays in it."""
    student = new if manifest.student == old else manifest.student
    by = new if manifest.kind == SUBMISSION and manifest.by == old and student == new else manifest.by
    return replace(manifest, student=student, by=by)


def change_manifest(volume: Volume, tree: str, changed: Callable[[Manifest], Manifest]) -> bool:
    """Give a published tree another manifest by one rename, where it has to say something else.

    Args:
        tree: its path.
        changed: makes the new one.

    Returns:
        whether it had to be changed.

    Raises:
        BrokenManifest: it cannot be understood; it is left as it is.
        FileNotFoundError: the tree was moved away.
    """
    above = KnownFolder.look(tree)
    try:
        present = manifest_at(volume.manifests, tree)
    except BrokenManifest:
        above.check()  # nothing is wrong with what was moved away
        raise
    wanted = changed(present)
    if wanted == present:
        return False
    with volume.publishing() as publication:
        publication.dirty.write_file(publication.staged, wanted.to_yaml())
        publication.publish(os.path.join(tree, layout.MANIFEST), above=above)
    return True
