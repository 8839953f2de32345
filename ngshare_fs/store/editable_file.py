"""YAML files that people edit by hand at any time, and that servers change.

A change by a server is of what the file says at that moment, and is one rename. Under a lock, no other server changes
the file meanwhile; somebody with an editor may. So the server looks once more directly before it replaces the file, and
begins anew where it is another one by then. What a person wrote and the server does not know has to be in the parsed
value (see `format.unknown_keys`), so that it is written again.
"""

import contextlib
import os
import stat
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic

from ngshare_fs.store.files.estale import retry_on_estale
from ngshare_fs.store.format.layout import KnownFolder, is_folder
from ngshare_fs.store.reading.cached_yaml import CachedYaml, Meaning, Reading
from ngshare_fs.store.reading.fingerprint import NO_FILE, FileFingerprint, fingerprint_of
from ngshare_fs.store.volume import Volume
from ngshare_fs.store.writing.last_check import LastCheck, no_check

# An editor may write a file in several steps. A change by the server waits until the file has been quiet for this long.
QUIET_SECONDS = 0.05


@dataclass(frozen=True)
class EditableFile(Generic[Meaning]):
    """One such file.

    Args:
        volume: where it is.
        path: the file; the folder that it is in has to be there.
        known: the files of its kind, as they were understood.
        to_yaml: the text of such a file.
        lock: the scope of the lock under which servers change it, for example `("course", course)`.
        if_missing: what counts where there is no such file yet, and the first change makes it; None where there has to
            be one.
    """

    volume: Volume
    path: str
    known: CachedYaml[Meaning]
    to_yaml: Callable[[Meaning], bytes]
    lock: tuple[str, ...]
    if_missing: Meaning | None = None

    def read(self) -> Reading[Meaning]:
        """What the file says.

        Raises:
            FileNotFoundError: it is not there and has to be, or the folder is not there (NotADirectoryError where a
                folder above is none).
            BrokenManifest: it cannot be understood, and never was.
        """
        try:
            if self.if_missing is not None:
                # Most are missing, and to hear that from `stat` takes two thirds of the time.
                os.stat(self.path, follow_symlinks=False)
            return self.known.read(self.path)
        except FileNotFoundError:
            if self.if_missing is None or not is_folder(os.path.dirname(self.path)):
                raise
            return Reading(self.if_missing, NO_FILE)

    def change(self, changed: Callable[[Meaning], Meaning], last_check: LastCheck = no_check) -> None:
        """Read the file, change it and write it by one rename, while no other server does.

        Args:
            changed: makes the new value of the present one; called again where somebody edited the file meanwhile. It
                keeps what it does not know.
            last_check: made under the lock: no other server changes the file between it and the change; and once more
                directly before that, for it may look at other files, too.

        Raises:
            FileNotFoundError, NotADirectoryError: see `read`; also where another folder has the name meanwhile.
            BrokenManifest: the file cannot be understood; it is left as it is.
            Interrupted: it was changed, and then moved with its folder.
        """
        with self.volume.locks.hold(*self.lock):
            above = KnownFolder.look(os.path.dirname(self.path))
            while not self._try(changed, last_check, above):
                time.sleep(QUIET_SECONDS)

    def _try(self, changed: Callable[[Meaning], Meaning], last_check: LastCheck, above: KnownFolder) -> bool:
        """Make a change; False where somebody has edited the file meanwhile, or may still be writing it."""
        reading = self.read()
        last_check()
        value = changed(reading.present)
        if value == reading.value:
            self._flush_unless_ours(reading.fingerprint)
            return True
        content = self.to_yaml(value)
        if not self._is_as_read(reading.fingerprint) or not self._replace(
            content, reading.fingerprint, above, last_check
        ):
            return False
        # Where its folder was moved since, the change is in it.
        with contextlib.suppress(FileNotFoundError, NotADirectoryError):
            self.known.remember(self.path, value, content)
        return True

    def _flush_unless_ours(self, fingerprint: FileFingerprint) -> None:
        # Whoever made this change before may have died, or failed, before it was flushed. Now it is acknowledged.
        if fingerprint != NO_FILE and not self.known.wrote(self.path, fingerprint):
            dirty = self.volume.dirty_set()
            dirty.add_file(self.path)
            dirty.changed(os.path.dirname(self.path))
            dirty.flush()

    def _replace(self, content: bytes, fingerprint: FileFingerprint, above: KnownFolder, last_check: LastCheck) -> bool:
        """Replace the file, which keeps its mode; False where it is not as it was read any more."""
        with self.volume.publishing() as publication:
            publication.dirty.write_file(publication.staged, content)
            if fingerprint != NO_FILE:
                os.chmod(publication.staged, stat.S_IMODE(retry_on_estale(os.stat, self.path).st_mode))
            publication.dirty.flush()
            if not self._is_as_read(fingerprint):
                return False
            publication.publish(self.path, above=above, last_check=last_check)
        return True

    def _is_as_read(self, fingerprint: FileFingerprint) -> bool:
        """Whether nobody has edited the file since, or may still be writing it."""
        if self._present_fingerprint() != fingerprint:
            return False
        if fingerprint == NO_FILE or self.known.wrote(self.path, fingerprint):
            return True  # by one rename, so it is whole
        age = time.time_ns() - fingerprint.modified
        return not 0 <= age < QUIET_SECONDS * 1e9

    def _present_fingerprint(self) -> FileFingerprint:
        try:
            return fingerprint_of(retry_on_estale(os.stat, self.path))
        except FileNotFoundError:
            return NO_FILE
