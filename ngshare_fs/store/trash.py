"""Deleting: one rename into the trash, dated and whole, so that an operator can bring it back."""

import contextlib
import os
import secrets

from ngshare_fs import metrics
from ngshare_fs.formats import yaml_text
from ngshare_fs.store.errors import VolumeFailure
from ngshare_fs.store.format import layout, timestamp
from ngshare_fs.store.volume import Volume, make_missing
from ngshare_fs.store.writing.last_check import LastCheck, no_check

ATTEMPTS = 3


def throw_away(
    volume: Volume, path: str, what: dict[str, str], last_check: LastCheck = no_check, kept_as: str | None = None
) -> str:
    """Move a folder into the trash.

    Args:
        path: the folder, anywhere on the volume; where `kept_as` is given, it may be a file or a link as well.
        what: what it is, for `trash.yaml` beside it: `kind`, the names that lead to it, and `by`, who deleted it.
        last_check: made directly before it is moved.
        kept_as: its name in the entry; its own where it is None.

    Returns:
        the path of its entry there.

    Raises:
        FileNotFoundError: it is not there; somebody else was faster.
        Interrupted: it is in the trash, but where it was is not there any more either.
        VolumeFailure: each entry for it was removed before it was there.
    """
    for _ in range(ATTEMPTS):
        if not (layout.is_folder(path) if kept_as is None else os.path.lexists(path)):
            raise FileNotFoundError(path)
        # Somebody may be emptying the trash, and take the new entry as well.
        with contextlib.suppress(FileNotFoundError):
            entry = _move(volume, path, what, last_check, kept_as)
            metrics.count("deletions_total", what["kind"])
            return entry
    raise VolumeFailure(f"{path} cannot be deleted: its entry in the trash is removed each time")


def _move(volume: Volume, path: str, what: dict[str, str], last_check: LastCheck, kept_as: str | None) -> str:
    moment = timestamp.now()
    # Two deletions in one microsecond must not share a folder; the random end costs nothing and needs no lock.
    entry = os.path.join(volume.root, layout.TRASH, f"{timestamp.folder_of(moment)}-{secrets.token_hex(4)}")
    trash = os.path.dirname(entry)
    make_missing(volume, trash)  # somebody removed more than what was in it
    # Staged at its place: a second rename would be a second step, and staging is swept.
    with volume.publication(entry) as publication:
        dirty = publication.dirty
        dirty.make_folder(entry)
        try:
            dirty.write_file(os.path.join(entry, layout.TRASH_FILE), yaml_text.dump({**what, "timestamp": moment}))
            dirty.changed(trash)
            publication.take(path, last_check, kept_as)
        except BaseException:
            forget(entry)
            raise
    return entry


def forget(entry: str) -> None:
    """Remove an entry in which nothing lies any more but its file."""
    with contextlib.suppress(OSError):
        os.unlink(os.path.join(entry, layout.TRASH_FILE))
    with contextlib.suppress(OSError):
        os.rmdir(entry)
