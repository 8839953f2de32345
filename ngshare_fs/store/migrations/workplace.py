"""What a migration changes a volume with: each change is flushed, one rename, and flushed again."""

import os

from ngshare_fs.store.format.trash_file import quarantine_record
from ngshare_fs.store.writing.durability import Flusher
from ngshare_fs.store.writing.last_check import LastCheck, no_check
from ngshare_fs.store.writing.publication import Publication
from ngshare_fs.store.writing.staging import Staging
from ngshare_fs.store.writing.trash_entry import new_entry

BY = "ngshare-fs"


class Workplace:
    """A volume that nobody else uses.

    Args:
        root: its folder.
        flusher: brings changes to the disk.
        staging: where they are staged.
        before: the number of the layout that is left.
        still_locked: see `Publication`.
    """

    def __init__(
        self, root: str, flusher: Flusher, staging: Staging, before: int, still_locked: LastCheck = no_check
    ) -> None:
        self.root = root
        self._flusher = flusher
        self._staging = staging
        self._before = f"layout-{before}"
        self._still_locked = still_locked
        self._kept: str | None = None

    def path(self, relative: str) -> str:
        """The path of something on the volume."""
        return os.path.join(self.root, relative)

    def write(self, relative: str, content: bytes) -> None:
        """Write a file; one that is there is kept in the trash, and replaced."""
        if os.path.lexists(self.path(relative)):
            self._keep_copy(relative)
        self.write_unkept(relative, content)

    def write_unkept(self, relative: str, content: bytes) -> None:
        """Write a file that says nothing which has to be kept."""
        with self._staging.place() as staged, self._publication(staged) as publication:
            publication.dirty.write_file(staged, content)
            publication.publish(self.path(relative))

    def move(self, relative: str, to: str) -> None:
        """Give something another place, whose folder is there; nothing is replaced."""
        if os.path.lexists(self.path(to)):
            raise FileExistsError(self.path(to))
        with self._publication(self.path(relative)) as publication:
            publication.publish(self.path(to))
            publication.dirty.changed(os.path.dirname(self.path(relative)))

    def _publication(self, staged: str) -> Publication:
        return Publication(self._flusher, staged, self._still_locked)

    def _keep_copy(self, relative: str) -> None:
        """Put a copy of a file into the trash, below a folder with the name of the layout."""
        if self._kept is None:
            record = quarantine_record(self._before, f"replaced in the upgrade from {self._before}", BY)
            self._kept = os.path.join(new_entry(self.root, self._flusher, record), self._before)
            os.mkdir(self._kept)
        with open(self.path(relative), "rb") as file:
            content = file.read()
        with Publication(self._flusher, self._kept) as publication:
            folder = self._kept
            publication.dirty.changed(os.path.dirname(folder))
            for part in os.path.dirname(relative).split("/"):
                folder = os.path.join(folder, part)
                publication.dirty.make_folder_unless_there(folder)
            publication.dirty.write_file(os.path.join(folder, os.path.basename(relative)), content)
            publication.leave_to_earlier(folder)
