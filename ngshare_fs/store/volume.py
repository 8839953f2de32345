"""The volume: one folder, opened once by a process, and everything that its verbs share."""

import contextlib
import errno
import fcntl
import logging
import os
import secrets
import sys
from collections.abc import Iterator
from pathlib import Path

from ngshare_fs.file_systems.mounted import file_system_of
from ngshare_fs.file_systems.renames import keeps_waiting
from ngshare_fs.file_systems.several_machines import is_local
from ngshare_fs.store.errors import VolumeError
from ngshare_fs.store.files.estale import retry_on_estale
from ngshare_fs.store.files.unusable import nearest, unusable, user_name
from ngshare_fs.store.format import assignment_file, course_file, layout, manifest
from ngshare_fs.store.format.assignment_file import AssignmentFile
from ngshare_fs.store.format.course_file import Roster
from ngshare_fs.store.format.manifest import Manifest
from ngshare_fs.store.format.volume_file import VolumeFile
from ngshare_fs.store.migrations.present_layout import check_layout
from ngshare_fs.store.migrations.upgrade import upgrade
from ngshare_fs.store.reading.cached_feedback import CachedFeedback
from ngshare_fs.store.reading.cached_folders import CachedFolders
from ngshare_fs.store.reading.cached_sizes import CachedSizes
from ngshare_fs.store.reading.cached_yaml import CachedYaml
from ngshare_fs.store.writing import durability
from ngshare_fs.store.writing.durability import DirtySet
from ngshare_fs.store.writing.flushers import flush_file, flush_folder, flusher_for
from ngshare_fs.store.writing.journal_writer import JournalWriter
from ngshare_fs.store.writing.locks import Locks
from ngshare_fs.store.writing.publication import Publication
from ngshare_fs.store.writing.staging import Staging
from ngshare_fs.store.writing.upload import Upload

logger = logging.getLogger(__name__)

# What a start that was cut off may leave in a folder that was empty before, and what a file system puts there itself.
_BELONGS_TO_AN_EMPTY_VOLUME = frozenset(
    {layout.COURSES, layout.TRASH, layout.JOURNAL, layout.PRIVATE, layout.LOST_AND_FOUND}
)


class Volume:
    """An open volume. Use `Volume.open`.

    Args:
        root: its folder.
    """

    def __init__(self, root: str) -> None:
        self.root = root
        self.flusher = flusher_for(root)
        mounted = file_system_of(root)
        self.renames_held_open = keeps_waiting(mounted)
        self.locks = Locks(os.path.join(root, layout.LOCKS), can_be_lost=not is_local(mounted))
        self.staging = Staging(os.path.join(root, layout.STAGING), os.path.join(root, layout.LOCKS))
        self.rosters: CachedYaml[Roster] = CachedYaml(course_file.understand, course_file.misspelt_keys)
        self.dates: CachedYaml[AssignmentFile] = CachedYaml(assignment_file.understand, assignment_file.misspelt_keys)
        self.folders = CachedFolders()
        self.feedback = CachedFeedback()
        self.sizes = CachedSizes()
        self.manifests: CachedYaml[Manifest] = CachedYaml(manifest.understand)
        self.journal = JournalWriter(root)

    @classmethod
    def open(cls, path: Path, upgrade_layout: bool = True) -> "Volume":
        """Open a volume; make one where the folder is missing or empty.

        Takes the same time whatever the volume holds, unless its layout has to be upgraded.

        Args:
            upgrade_layout: whether a volume of an older layout is brought to the present one; else it is refused.

        Raises:
            VolumeError: the folder cannot serve as one; the text names path, owner and remedy.
        """
        root = os.path.abspath(path)
        _check_encoding()
        try:
            _prepare(root, upgrade_layout)
            _probe(root)
            volume = cls(root)
            volume.staging.begin()
        except OSError as error:
            raise VolumeError(unusable(root, error)) from error
        volume.staging.sweep()
        return volume

    @classmethod
    def open_or_make(cls, path: Path) -> "Volume":
        """Open a volume for changes, or make one where the folder is missing or empty; several may do so at once.

        Raises:
            VolumeError: it cannot be one, or root would make it where another user has to use it; the text says what to
                do.
        """
        root = os.path.abspath(path)
        check_owner(root)
        return cls.open(path, upgrade_layout=not os.path.exists(os.path.join(root, layout.VOLUME_FILE)))

    @classmethod
    def open_existing(cls, path: Path) -> "Volume":
        """Open a volume for changes beside its servers, or where none runs; nothing is made of a folder that is none.

        Raises:
            VolumeError: it is none, or cannot be used; the text names path, owner and remedy.
        """
        _check_is_volume(os.path.abspath(path))
        check_owner(os.path.abspath(path))
        return cls.open(path, upgrade_layout=False)

    @classmethod
    def read_only(cls, path: Path) -> "Volume":
        """Open a volume to look at it, also where nothing can be written, as in a backup. Nothing is made or changed.

        Raises:
            VolumeError: it is none, or cannot be read; the text names path, owner and remedy.
        """
        root = os.path.abspath(path)
        _check_encoding()
        _check_is_volume(root)
        return cls(root)

    @classmethod
    def open_to_make_room(cls, path: Path) -> "Volume":
        """Open a volume to remove things for good, also where it is so full that nothing could be staged.

        Raises:
            VolumeError: it is none, or cannot be used; the text names path, owner and remedy.
        """
        volume = cls.read_only(path)
        check_owner(volume.root)
        try:
            _make_folders(volume.root)
        except OSError as error:
            if error.errno not in (errno.ENOSPC, errno.EDQUOT):
                raise VolumeError(unusable(volume.root, error)) from error
        return volume

    @classmethod
    def upgrade_layout(cls, path: Path) -> None:
        """Bring a volume to the present layout, and leave it.

        Raises:
            VolumeError: it is none, or cannot be used, or something is in the way; the text names the remedy.
            OSError: it failed in the middle; the next time goes on with it.
        """
        root = os.path.abspath(path)
        check_layout(os.path.join(root, layout.VOLUME_FILE))
        check_owner(root)
        cls.open(path).close()

    @classmethod
    def join(cls, path: str) -> "Volume":
        """Open a volume that another process of this server has open. Nothing is made where there is none any more.

        Args:
            path: absolute, as the `root` of the other one.

        Raises:
            VolumeError: this process could not name its files.
            OSError: it is not there.
        """
        _check_encoding()
        _check_present(path)
        volume = cls(path)
        volume.staging.begin()
        return volume

    def upload(self, staging_folder: str | None = None) -> Upload:
        """A new, empty upload.

        Args:
            staging_folder: that of one which another process has begun, to go on with it; it is discarded with it.
        """
        return Upload(self.staging, staging_folder, self.renames_held_open)

    @contextlib.contextmanager
    def publishing(self) -> Iterator[Publication]:
        """A change that is staged in a place of its own, for a file or a folder; what is not published is removed.

        Raises:
            VolumeFailure: somebody else removed what was staged.
            Interrupted: it was published, and then moved with its folder.
        """
        with self.staging.place() as staged, self.publication(staged) as publication:
            yield publication
            if publication.leaves_something:
                self.staging.remove(staged)

    def publication(self, staged: str) -> Publication:
        """A change that is staged at a place of the caller's, who also removes what is not published.

        Args:
            staged: see `Publication`.
        """
        return Publication(self.flusher, staged, self.locks.check_held, self.renames_held_open)

    def dirty_set(self) -> DirtySet:
        """The account of a new write."""
        return DirtySet(self.flusher)

    def ready(self) -> str | None:
        """Read and write the volume; None where both work, otherwise what does not."""
        try:
            os.listdir(layout.courses(self.root))
            path = self.staging.new_path()
            try:
                durability.write_file(path, b"ready")
                self.flusher.flush([path], [])
            finally:
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(path)  # also what a full disk left of it
        except OSError as error:
            return f"{error.strerror}: {os.path.relpath(error.filename or self.root, self.root)}"
        return None

    def close(self) -> None:
        """Let go of it; nothing else of it may be used afterwards."""
        self.journal.close()
        self.staging.close()
        self.flusher.close()


def check_present(volume: Volume) -> None:
    """Look whether the volume is still there: where it was unmounted, no course is missing, but everything.

    Raises:
        FileNotFoundError: it is not.
    """
    _check_present(volume.root)


def make_missing(volume: Volume, folder: str) -> None:
    """Make a folder that whoever made the volume by hand left out, durably.

    Args:
        folder: its path; its parent has to be there.
    """
    if not layout.is_folder(folder):
        dirty = volume.dirty_set()
        dirty.make_folder_unless_there(folder)
        dirty.flush()


def _check_encoding() -> None:
    if sys.getfilesystemencoding().lower() != "utf-8":
        raise VolumeError("file names cannot be written in UTF-8 here: set PYTHONUTF8=1 in the environment")


def _check_present(root: str) -> None:
    retry_on_estale(os.stat, os.path.join(root, layout.VOLUME_FILE))


def _make_folders(root: str) -> None:
    for folder in (layout.COURSES, layout.TRASH, layout.PRIVATE, layout.LOCKS, layout.STAGING):
        os.makedirs(os.path.join(root, folder), exist_ok=True)


def _check_is_volume(root: str) -> None:
    """Look whether a folder is a volume of a layout that is known."""
    try:
        if not os.path.isdir(root):
            raise VolumeError(f"{root}: no such folder")
        check_layout(os.path.join(root, layout.VOLUME_FILE), layout_has_to_be_present=True)
    except FileNotFoundError:
        _check_empty(root)
        raise VolumeError(
            f"{root} is no volume: it has no {layout.VOLUME_FILE}; give --data the server's folder"
        ) from None
    except OSError as error:
        raise VolumeError(unusable(root, error)) from error


def check_owner(root: str) -> None:
    """Keep root from leaving files there that the server of another user could not change any more.

    Raises:
        VolumeError: it would.
    """
    # Of a volume that was copied or made by hand, no server has made its own folder yet; nor is there one of a new one.
    places = (os.path.join(root, layout.PRIVATE), os.path.join(root, layout.COURSES), nearest(root))
    status = next(filter(None, map(layout.status_of, places)), None)
    if status is not None and os.geteuid() == 0 and status.st_uid != 0:
        owner = user_name(status.st_uid)
        raise VolumeError(
            f"{nearest(root)} belongs to the server's user, {owner}, and what root writes there it could not change "
            "any more: run this as that user "
            f"(setpriv --reuid={status.st_uid} --regid={status.st_gid} --clear-groups …)"
        )


def _prepare(root: str, upgrade_layout: bool) -> None:
    if os.path.exists(root) and not os.path.isdir(root):
        raise VolumeError(f"{root} is not a folder: give --data a folder")
    # Students may have accounts on this machine. A folder that is there keeps the mode that somebody gave it.
    os.makedirs(root, 0o700, exist_ok=True)
    file = os.path.join(root, layout.VOLUME_FILE)
    if not os.path.exists(file):
        try:
            _check_empty(root)
        except VolumeError:
            # Unless another process has made it a volume since.
            if not os.path.exists(file):
                raise
    found = check_layout(file, layout_has_to_be_present=not upgrade_layout) if os.path.exists(file) else None
    _make_folders(root)
    if found is not None:
        if found.layout < layout.LAYOUT or found.upgrading_from is not None:
            upgrade(root)
    elif not os.path.exists(file):
        write_volume_file(root)


def write_volume_file(root: str) -> None:
    """Make a folder the volume that it is. Last and by a rename: several processes may start on one empty folder.

    Raises:
        OSError: it cannot be written.
    """
    os.makedirs(os.path.join(root, layout.PRIVATE), exist_ok=True)
    staged = os.path.join(root, layout.PRIVATE, f"volume-{secrets.token_hex(8)}")
    try:
        durability.write_file(staged, VolumeFile(layout.LAYOUT).to_yaml())
        flush_file(staged)
        os.rename(staged, os.path.join(root, layout.VOLUME_FILE))
    except OSError:
        with contextlib.suppress(OSError):
            os.unlink(staged)  # whoever starts this again and again would leave many
        raise
    flush_folder(root)
    flush_folder(os.path.dirname(root))


def _check_empty(root: str) -> None:
    found = sorted(set(os.listdir(root)) - _BELONGS_TO_AN_EMPTY_VOLUME)
    for folder in (layout.COURSES, layout.TRASH):
        path = os.path.join(root, folder)
        if os.path.isdir(path) and os.listdir(path):
            raise VolumeError(
                f"{root} has {folder} but no {layout.VOLUME_FILE}: if this is a restored volume, "
                f"write the line `layout: {layout.LAYOUT}` into that file; otherwise give --data an empty folder"
            )
    if found:
        raise VolumeError(
            f"{root} holds something else ({', '.join(map(repr, found[:3]))}{', ...' if found[3:] else ''}) "
            f"and no {layout.VOLUME_FILE}: give --data an empty folder or a volume"
        )


def _probe(root: str) -> None:
    """Try what the store relies on; what is missing is said before the first student relies on it too."""
    # Not in the staging folder: another process that starts at this moment would sweep the file away.
    folder = os.path.join(root, layout.LOCKS)
    probe = os.path.join(folder, f"probe-{secrets.token_hex(8)}")
    try:
        durability.write_file(probe, b"probe")
        flush_file(probe)
        with open(probe, "rb+") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                raise VolumeError(
                    f"{root} does not support flock ({error.strerror}): mount it with locks "
                    "(NFSv4 rather than NFSv3 with nolock) or use another volume"
                ) from None
        if os.path.exists(os.path.join(folder, os.path.basename(probe).upper())):
            raise VolumeError(
                f"{root} does not tell upper from lower case, so two names could share a folder: "
                "use a case-sensitive volume"
            )
        if not flush_folder(folder):
            logger.warning("%s cannot flush folders: after a power cut the newest submissions may be missing", root)
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(probe)  # also what a full disk left of it
