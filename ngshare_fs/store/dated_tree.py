"""Publishing a dated, immutable tree.

A release, a submission and a piece of feedback are the same thing in three places. Once published, none of them ever
changes, and the newest one counts.
"""

import contextlib
import os
import time
from dataclasses import replace

from ngshare_fs import metrics
from ngshare_fs.store.errors import BrokenManifest, KeyUsed
from ngshare_fs.store.format import timestamp
from ngshare_fs.store.format.layout import MANIFEST, KnownFolder
from ngshare_fs.store.format.manifest import FEEDBACK, SUBMISSION, WITHDRAWAL, Manifest, StoredFile
from ngshare_fs.store.format.timestamp import Timestamp
from ngshare_fs.store.reading.cached_folders import timestamps_in
from ngshare_fs.store.reading.tree import manifest_at, may_have_key
from ngshare_fs.store.volume import Volume
from ngshare_fs.store.writing.durability import DirtySet
from ngshare_fs.store.writing.last_check import LastCheck, no_check
from ngshare_fs.store.writing.publication import Publication
from ngshare_fs.store.writing.upload import Upload

# A client repeats what it has just handed in. The look for its key stays cheap: it goes back no further than this.
LATEST_WITH_KEYS = 100


def stage(upload: Upload, tree: str, manifest: Manifest, dirty: DirtySet) -> Manifest:
    """Write an upload's files and its manifest to a new folder, and flush all that is unflushed.

    Args:
        upload: the files; large ones are moved from it.
        tree: the folder, in staging.
        manifest: all but the files.
        dirty: the account of what is staged.

    Returns:
        the manifest as it was written.
    """
    upload.write_tree(tree, dirty)
    whole = replace(manifest, files=tuple(StoredFile(file.path, file.size, file.md5) for file in upload.files))
    dirty.write_file(f"{tree}/{MANIFEST}", whole.to_yaml())
    dirty.flush()
    return whole


def write_manifest_anew(tree: str, manifest: Manifest, dirty: DirtySet) -> None:
    """Give a staged tree another manifest in place of its own, and flush all that is unflushed."""
    os.unlink(f"{tree}/{MANIFEST}")
    dirty.write_file(f"{tree}/{MANIFEST}", manifest.to_yaml())
    dirty.changed(tree)
    dirty.flush()


def publish(
    volume: Volume,
    upload: Upload,
    above: KnownFolder,
    parent: str,
    manifest: Manifest,
    at: Timestamp | None = None,
    last_check: LastCheck = no_check,
    after: Timestamp | None = None,
    around: contextlib.AbstractContextManager[object] | None = None,
) -> Timestamp:
    """Publish an upload as the newest tree in `parent`, whose own parent has to be there.

    Args:
        upload: the files; the caller discards what is left of it.
        above: the folder of what the tree is for. To stage a large tree takes seconds: by then, another assignment may
            have the name of the one that this is for.
        parent: the folder of the trees of this kind, made if missing, somewhere in `above`.
        manifest: all but the timestamp and the files.
        at: the timestamp to give it instead of the present, for what comes from elsewhere.
        last_check: made when all is staged.
        after: of a tree that was there before the manifest's key was chosen, so that only later ones can have that key.
        around: entered when all is staged, and left when it is published or cannot be.

    Returns:
        its timestamp, later than that of every other tree in `parent`; that of the earlier one where the manifest has
        the key of one that the same user has published, or is a withdrawal of what is withdrawn. That is not published
        a second time.

    Raises:
        FileNotFoundError: `above` is gone: somebody deleted the assignment or the course meanwhile.
        KeyUsed: that earlier one has other files.
        Interrupted: somebody moved `above` at the last moment, with the tree in it.
    """
    started = time.monotonic()
    with volume.publishing() as publication:
        tree = publication.staged
        manifest = stage(upload, tree, replace(manifest, timestamp=at or timestamp.now()), publication.dirty)
        with around or contextlib.nullcontext():
            moment = put_in_place(volume, publication, tree, above, parent, manifest, bool(at), last_check, after)
    metrics.observe("publish_duration_seconds", time.monotonic() - started, manifest.kind)
    return moment


def put_in_place(
    volume: Volume,
    publication: Publication,
    tree: str,
    above: KnownFolder,
    parent: str,
    manifest: Manifest,
    is_dated: bool,
    last_check: LastCheck,
    after: Timestamp | None = None,
) -> Timestamp:
    """The last step of `publish`: the rename, under the lock that orders what is in `parent`; all has been flushed.

    Args:
        publication: what has been staged, and flushed.
        tree: the path of the tree: all that is staged, or a part of it.
        above, parent, last_check: see `publish`.
        manifest: what it has. Where this fails, the staged one may have a later timestamp by then.
        is_dated: whether its timestamp stands, whatever there is in `parent`.
        after: see `publish`.

    Returns, Raises:
        see `publish`.
    """
    moment = manifest.timestamp
    # The lock makes timestamps increase strictly. It is held for a look and a rename: the flush is done before.
    with volume.locks.hold("publish", parent[len(volume.root) :]):
        moments = timestamps_in(parent)
        earlier = _published_before(volume, parent, moments, manifest, after)
        if earlier is not None:
            if earlier.files != manifest.files:
                raise KeyUsed(f"{parent}: {manifest.key}")
            publication.dirty.make_folder_unless_there(parent)
            publication.leave_to_earlier(parent)
            return earlier.timestamp
        if moments and not is_dated and moment <= moments[-1]:
            # Overtaken since, or the clock was set back. Nobody can overtake a second time.
            moment = timestamp.after(moments[-1])
            write_manifest_anew(tree, replace(manifest, timestamp=moment), publication.dirty)
        place = f"{parent}/{timestamp.folder_of(moment)}"
        publication.publish(place, part=tree, above=above, last_check=last_check, makes_parent=True)
    count_published(manifest.kind)
    return moment


def count_published(kind: str) -> None:
    """Count a tree that has been published; of a submission, whoever hands it in knows more."""
    if kind == FEEDBACK:
        metrics.count("feedback_total")
    elif kind != SUBMISSION:
        metrics.count("releases_total", kind)


def _published_before(
    volume: Volume, parent: str, moments: list[Timestamp], manifest: Manifest, after: Timestamp | None
) -> Manifest | None:
    """The tree that makes another one needless: what was handed in with the same key, or withdrawn already."""
    is_withdrawal = manifest.kind == WITHDRAWAL
    if manifest.key is None and not is_withdrawal:
        return None
    if after in moments:
        # It has been there since before the key was chosen, so whatever has the key was made later than it; nearly
        # always nothing was. It is looked at, too: it may have been deleted, and, where a clock was set back, what has
        # the key have got its very timestamp. Of one that is gone, nobody knows what followed it.
        moments = moments[moments.index(after) :]
    for moment in reversed(moments[-(1 if is_withdrawal else LATEST_WITH_KEYS) :]):
        tree = f"{parent}/{timestamp.folder_of(moment)}"
        if manifest.key is not None and not may_have_key(tree, manifest.key):
            continue
        with contextlib.suppress(BrokenManifest):
            found = manifest_at(volume.manifests, tree)
            is_same = (
                found.kind == WITHDRAWAL if is_withdrawal else (found.key, found.by) == (manifest.key, manifest.by)
            )
            if is_same:
                # The folder's name counts, not what the manifest says.
                return replace(found, timestamp=moment)
    return None
