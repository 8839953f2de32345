"""The write path, for whatever is published: stage aside, flush, publish by one rename, flush again.

The first flush brings the content to the disk before anybody can see it, the second one the entry that the rename has
made. A power cut in between leaves the old state or the new. `Volume.publishing` gives a place to stage as well.
"""

import errno
import os
from types import TracebackType

from ngshare_fs.store.errors import Interrupted
from ngshare_fs.store.format.layout import KnownFolder
from ngshare_fs.store.writing.durability import DirtySet, Flusher
from ngshare_fs.store.writing.held_open import held_open
from ngshare_fs.store.writing.last_check import LastCheck, no_check

# What a rename to a place where something is ends in: a folder with something in it, or a file.
_TAKEN = (errno.ENOTEMPTY, errno.EEXIST, errno.ENOTDIR)


class Publication:
    """One change of the volume. What is staged is flushed before it, and the entries that it changed after it.

    A context manager: on leaving without an error, those entries are flushed. The lock under which something is
    published is better let go of before that.

    Args:
        flusher: brings it to the disk.
        staged: the path where it is staged: of a file or a folder, which the caller makes.
        still_locked: raises where the lock under which it is published holds no more. Asked directly before the rename,
            for whoever has the lock by then may have changed the place.
        held_open: whether a file is held open for writing while it is renamed, see `file_systems/renames.py`.

    Attributes:
        dirty: the account of what is staged; whoever stages enters it there.
        leaves_something: whether something may be left at `staged`.
    """

    def __init__(
        self, flusher: Flusher, staged: str, still_locked: LastCheck = no_check, held_open: bool = False
    ) -> None:
        self.staged = staged
        self.dirty = DirtySet(flusher)
        self.leaves_something = True
        self._still_locked = still_locked
        self._held_open = held_open
        self._changed_folder: str | None = None
        self._has_taken = False

    def __enter__(self) -> "Publication":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None and self._changed_folder is not None:
            self._flush_entries(self._changed_folder)

    def publish(
        self,
        target: str,
        *,
        part: str | None = None,
        above: KnownFolder | None = None,
        last_check: LastCheck = no_check,
        makes_parent: bool = False,
        if_taken: Exception | None = None,
    ) -> None:
        """Put what is staged in its place by one rename.

        Args:
            target: the place; a file that is there is replaced.
            part: what of it to put there, a path below `staged`; the rest is left.
            above: a folder around the place. Another one may have its name since it was looked at.
            last_check: made directly before the rename.
            makes_parent: whether the folder of the place is made if missing; its own parent has to be there.
            if_taken: raised where a folder with something in it, or something else than a folder, is there already.

        Raises:
            FileNotFoundError: `above` is gone, or the folder of the place.
            LockLost: the lock holds no more.
            OSError: it cannot be flushed or renamed.
        """
        self.dirty.flush()
        last_check()
        if above is not None:
            above.check()
        folder = os.path.dirname(target)
        if makes_parent:
            self.dirty.make_folder_unless_there(folder)
        source = part or self.staged
        try:
            with held_open(source, self._held_open):
                self._still_locked()
                # Refused by the system where a folder has something in it, so nobody has to look first.
                os.rename(source, target)
        except OSError as error:
            if if_taken is not None and error.errno in _TAKEN:
                raise if_taken from None
            raise
        self.leaves_something = source != self.staged
        self._changed_folder = folder

    def take(self, path: str, last_check: LastCheck = no_check, kept_as: str | None = None) -> None:
        """The other way round: move something from its place into the folder that is staged, by one rename.

        Args:
            path: where it is.
            last_check: made directly before the rename.
            kept_as: its name there; its own where it is None.

        Raises:
            FileNotFoundError: it is not there, or what is staged is not.
            LockLost: the lock holds no more.
            OSError: what is staged cannot be flushed, or it cannot be renamed.
        """
        self.dirty.flush()
        last_check()
        self._still_locked()
        os.rename(path, os.path.join(self.staged, kept_as or os.path.basename(path)))
        self.dirty.changed(self.staged)
        self._changed_folder = os.path.dirname(path)
        self._has_taken = True

    def leave_to_earlier(self, folder: str) -> None:
        """Publish nothing, because it is there already: on leaving, the entries of that folder are flushed.

        Whoever published it may have died before that; its content was flushed earlier.

        Args:
            folder: in which it is.
        """
        self._changed_folder = folder

    def _flush_entries(self, folder: str) -> None:
        try:
            self.dirty.flush_entry(folder)
        except Interrupted:
            if not self._has_taken:
                raise
            # What was taken is removed by now, for good; then it is its old place that counts.
            self.dirty.flush_entry(folder)
