"""The write path, and the way back: publishing a dated, immutable tree, and reading one.

A release, a submission and a piece of feedback are the same thing in three places. Each is staged aside, made
durable, and published by one rename; after that it never changes, and the newest one counts.
"""

import contextlib
import errno
import os
from dataclasses import replace

from ngshare_fs.store.errors import BrokenManifest, DamagedTree, IllegalPath, KeyUsed
from ngshare_fs.store.files.estale import look_again
from ngshare_fs.store.files.plain_file import NotPlain, check_plain, open_plain
from ngshare_fs.store.format import layout, timestamp
from ngshare_fs.store.format.layout import FILES, MANIFEST, KnownFolder
from ngshare_fs.store.format.manifest import WITHDRAWAL, Manifest, StoredFile
from ngshare_fs.store.format.timestamp import Timestamp
from ngshare_fs.store.reading.cached_folders import timestamps_in
from ngshare_fs.store.reading.cached_yaml import Marks, marks_of
from ngshare_fs.store.volume import Volume
from ngshare_fs.store.writing.durability import Unflushed
from ngshare_fs.store.writing.last_check import LastCheck, no_check
from ngshare_fs.store.writing.upload import Upload, check_path

# A client repeats what it has just handed in. The look for its key stays cheap: it goes back no further than this.
LATEST_WITH_KEYS = 100
# What the look for a file ends in where it is not there, or is none.
_NO_FILE = (NotPlain, FileNotFoundError, NotADirectoryError)


def newest_in(folder: str) -> Timestamp | None:
    """The timestamp of the newest tree in a folder, None where there is none."""
    moments = timestamps_in(folder)
    return moments[-1] if moments else None


def stage(volume: Volume, upload: Upload, tree: str, manifest: Manifest, unflushed: Unflushed) -> Manifest:
    """Write an upload's files and its manifest to a new folder, and flush all that is unflushed.

    Args:
        tree: the folder, in staging.
        manifest: all but the files.

    Returns:
        the manifest as it was written.
    """
    upload.write_tree(tree, unflushed)
    whole = replace(manifest, files=tuple(StoredFile(file.path, file.size, file.md5) for file in upload.files))
    unflushed.write_file(f"{tree}/{MANIFEST}", whole.to_yaml())
    unflushed.flush()
    return whole


def write_manifest_anew(tree: str, manifest: Manifest, unflushed: Unflushed) -> None:
    """Give a staged tree another manifest in place of its own, and flush all that is unflushed."""
    os.unlink(f"{tree}/{MANIFEST}")
    unflushed.write_file(f"{tree}/{MANIFEST}", manifest.to_yaml())
    unflushed.changed(tree)
    unflushed.flush()


def publish(
    volume: Volume,
    upload: Upload,
    above: KnownFolder,
    parent: str,
    manifest: Manifest,
    at: Timestamp | None = None,
    last_check: LastCheck = no_check,
) -> Timestamp:
    """Publish an upload as the newest tree in `parent`, whose own parent has to be there.

    Args:
        above: the folder of what the tree is for. To stage a large tree takes seconds: by then, another assignment may
            have the name of the one that this is for.
        parent: the folder of the trees of this kind, made if missing, somewhere in `above`.
        manifest: all but the timestamp and the files.
        at: the timestamp to give it instead of the present, for sample data.
        last_check: made when all is staged.

    Returns:
        its timestamp, later than that of every other tree in `parent`; that of the earlier one where the manifest has
        the key of one that the same user has published, or is a withdrawal of what is withdrawn. That is not published
        a second time.

    Raises:
        FileNotFoundError: `above` is gone: somebody deleted the assignment or the course meanwhile.
        KeyUsed: that earlier one has other files.
        Interrupted: somebody moved `above` at the last moment, with the tree in it.
    """
    unflushed = volume.unflushed()
    with volume.staging.tree() as staged:
        manifest = stage(volume, upload, staged, replace(manifest, timestamp=at or timestamp.now()), unflushed)
        moment = put_in_place(volume, staged, above, parent, manifest, unflushed, is_dated=bool(at), check=last_check)
    unflushed.flush_entry(parent)
    return moment


def put_in_place(
    volume: Volume,
    staged: str,
    above: KnownFolder,
    parent: str,
    manifest: Manifest,
    unflushed: Unflushed,
    is_dated: bool,
    check: LastCheck,
) -> Timestamp:
    """The last step of `publish`: the rename, under the lock that orders what is in `parent`; all has been flushed.

    Args:
        staged: the tree.
        manifest: what it has. Where this fails, the staged one may have a later timestamp by then.
        unflushed: gets what is to be flushed afterwards, together with `parent`.
        is_dated: whether its timestamp stands, whatever there is in `parent`.

    Returns, Raises:
        see `publish`.
    """
    moment = manifest.timestamp
    # The lock makes timestamps increase strictly. It is held for a look and a rename: the flush is done before.
    with volume.locks.hold("publish", parent[len(volume.root) :]):
        earlier = _published_before(volume, parent, manifest)
        if earlier is not None:
            if earlier.files != manifest.files:
                raise KeyUsed(f"{parent}: {manifest.key}")
            # Whoever published it may have died before flushing its entry; its content was flushed before that.
            unflushed.make_folder_unless_there(parent)
            volume.staging.remove(staged)
            return earlier.timestamp
        newest = None if is_dated else newest_in(parent)
        if newest is not None and moment <= newest:
            # Overtaken since, or the clock was set back. Nobody can overtake a second time.
            moment = timestamp.after(newest)
            write_manifest_anew(staged, replace(manifest, timestamp=moment), unflushed)
        check()
        above.check()
        unflushed.make_folder_unless_there(parent)
        os.rename(staged, f"{parent}/{timestamp.folder_of(moment)}")
    return moment


def _published_before(volume: Volume, parent: str, manifest: Manifest) -> Manifest | None:
    """The tree that makes another one needless: what was handed in with the same key, or withdrawn already."""
    is_withdrawal = manifest.kind == WITHDRAWAL
    if manifest.key is None and not is_withdrawal:
        return None
    for moment in reversed(timestamps_in(parent)[-(1 if is_withdrawal else LATEST_WITH_KEYS) :]):
        with contextlib.suppress(BrokenManifest):
            found = manifest_at(volume, f"{parent}/{timestamp.folder_of(moment)}")
            is_same = (
                found.kind == WITHDRAWAL if is_withdrawal else (found.key, found.by) == (manifest.key, manifest.by)
            )
            if is_same:
                # The folder's name counts, not what the manifest says.
                return replace(found, timestamp=moment)
    return None


class Tree:
    """A published tree that is open for reading: a rename of any folder above changes nothing for it.

    A context manager; whoever opens one closes it.

    Args:
        volume: where it is.
        parent: the folder of the trees of its kind.
        moment: its timestamp.

    Raises:
        FileNotFoundError: there is none of that timestamp.
        BrokenManifest: its manifest is missing or cannot be understood.
    """

    def __init__(self, volume: Volume, parent: str, moment: Timestamp) -> None:
        self.path = os.path.join(parent, timestamp.folder_of(moment))
        self._folder = look_again(os.open, self.path, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        self.timestamp = moment
        try:
            self.manifest = manifest_at(volume, self.path)
        except BaseException as problem:
            self.close()
            if isinstance(problem, BrokenManifest) and not layout.is_folder(self.path):
                raise FileNotFoundError(self.path) from None  # deleted since it was opened
            raise

    def __enter__(self) -> "Tree":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of it."""
        if self._folder >= 0:
            os.close(self._folder)
            self._folder = -1

    def open_file(self, file: StoredFile) -> int:
        """A descriptor of one of its files, for reading; the caller closes it.

        Raises:
            DamagedTree: it is missing, no file, or not of the size that its manifest promises.
        """
        above, name = _split(file)
        try:
            folder = self._enter(above)
            try:
                descriptor = open_plain(name, folder)
            finally:
                os.close(folder)
        except _NO_FILE as error:
            raise self._damaged(file, error) from None
        try:
            self._check_size(file, os.fstat(descriptor))
        except DamagedTree:
            os.close(descriptor)
            raise
        return descriptor

    def look(self) -> list[Marks]:
        """Look at every file, so that no answer is promised that cannot be given.

        Returns:
            by what to know them again, in the manifest's order.

        Raises:
            DamagedTree: see `open_file`.
            PermissionError: one of them may not be read.
        """
        # In a rush each fetch does this, so it costs little for a file: manifests list the files of a folder together,
        # and that one is entered once.
        marks = []
        entered: str | None = None
        folder = -1
        try:
            for file in self.manifest.files:
                above, name = _split(file)
                try:
                    if above != entered:
                        inner = self._enter(above)
                        if folder >= 0:
                            os.close(folder)
                        entered, folder = above, inner
                    marks.append(self._look_at(file, name, folder))
                except _NO_FILE as error:
                    raise self._damaged(file, error) from None
        finally:
            if folder >= 0:
                os.close(folder)
        return marks

    def _look_at(self, file: StoredFile, name: str, folder: int) -> Marks:
        status = os.stat(name, dir_fd=folder, follow_symlinks=False)
        check_plain(name, status)
        self._check_size(file, status)
        if not os.access(name, os.R_OK, dir_fd=folder, effective_ids=True):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), os.path.join(self.path, FILES, file.path))
        return marks_of(status)

    def _enter(self, above: str) -> int:
        """A descriptor of the folder `above` inside `files/`; the caller closes it.

        Entered one by one: whatever lies on the way, no link leads out of the tree.
        """
        flags = os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
        folder = os.open(FILES, flags, dir_fd=self._folder)
        for part in above.split("/") if above else ():
            try:
                inner = os.open(part, flags, dir_fd=folder)
            finally:
                os.close(folder)
            folder = inner
        return folder

    def _damaged(self, file: StoredFile, error: OSError) -> DamagedTree:
        """Say of which file it is that it is missing, or is no file."""
        what = error.strerror if isinstance(error, NotPlain) else "missing"
        return DamagedTree(f"{self.path}: {file.path} is {what}")

    def _check_size(self, file: StoredFile, status: os.stat_result) -> None:
        if status.st_size != file.size:
            raise DamagedTree(f"{self.path}: {file.path} has not the size of its manifest")


def _split(file: StoredFile) -> tuple[str, str]:
    """The folder of a file inside `files/`, empty for `files/` itself, and its name in it."""
    try:
        check_path(file.path)
    except IllegalPath:
        # A manifest that somebody edited must not lead out of its tree.
        raise DamagedTree(f"{file.path!r} is no path inside a tree") from None
    above, _, name = file.path.rpartition("/")
    return above, name


def manifest_at(volume: Volume, path: str) -> Manifest:
    """The manifest of the tree in the folder `path`.

    Raises:
        BrokenManifest: it is missing or cannot be understood.
    """
    file = os.path.join(path, MANIFEST)
    try:
        return volume.manifests.read(file).present
    except FileNotFoundError:
        raise BrokenManifest(file, 1, "the manifest is missing") from None


def full_name(volume: Volume, trees: str, of: str) -> str | None:
    """The full name of something whose folder name was cut, from the newest manifest below it.

    Args:
        trees: the folder of its trees.
        of: the manifest's field that has the name, `assignment` or `student`.
    """
    newest = newest_in(trees)
    if newest is None:
        return None
    with contextlib.suppress(BrokenManifest):
        name = getattr(manifest_at(volume, os.path.join(trees, timestamp.folder_of(newest))), of)
        return name if isinstance(name, str) else None
    return None
