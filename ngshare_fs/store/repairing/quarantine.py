"""Setting aside: by one rename into an entry of the trash, that says where it was and why."""

import contextlib
import errno
import os
import stat

from ngshare_fs.store.checking.findings import Finding
from ngshare_fs.store.files.plain_file import open_plain
from ngshare_fs.store.format import layout
from ngshare_fs.store.format.trash_file import name_in_entry, quarantine_record
from ngshare_fs.store.repairing.step import Damage, Left, Step
from ngshare_fs.store.trash import throw_away
from ngshare_fs.store.volume import Volume
from ngshare_fs.store.writing.durability import Flusher
from ngshare_fs.store.writing.publication import Publication
from ngshare_fs.store.writing.trash_entry import new_entry

_NOT_AS_SEEN = "it is another one by now: run this again"


def set_aside(damage: Damage) -> Step:
    """Move what was found into quarantine."""
    return set_aside_at(damage, damage.place, "move it to quarantine in the trash")


def set_aside_at(damage: Damage, place: str, words: str) -> Step:
    """Move something that was found into quarantine.

    Args:
        place: of what is moved, relative to the volume.
        words: what is done, for whoever has to decide.

    Raises:
        Left: it is not there any more, or is no part of the volume.
    """
    path = os.path.join(damage.root, place)
    seen = _identity(path)
    if stat.S_ISDIR(os.lstat(path).st_mode) and os.path.ismount(path):
        raise Left("another file system is mounted there: mount it elsewhere")

    def mend(volume: Volume, by: str) -> None:
        def as_seen() -> None:
            if _identity(path) != seen:
                raise Left(_NOT_AS_SEEN)

        record = quarantine_record(place, damage.finding.code, by)
        try:
            throw_away(volume, path, record, as_seen, kept_as=name_in_entry(record["path"]))
        except FileNotFoundError:
            raise Left("it is not there any more") from None
        except OSError as error:
            if error.errno == errno.EXDEV:
                raise Left("it lies on another file system than the trash: move it by hand") from None
            raise

    return Step(damage, words, place, mend, goes_whole=True)


def keep_copy(root: str, flusher: Flusher, place: str, finding: Finding, by: str) -> None:
    """Put a copy of a small file into quarantine, before another one takes its place.

    Raises:
        OSError: it cannot be read or written; then nothing but an empty entry is left.
    """
    with os.fdopen(open_plain(os.path.join(root, place)), "rb") as file:
        content = file.read()
    record = quarantine_record(place, finding.code, by)
    entry = new_entry(root, flusher, record)
    try:
        with Publication(flusher, entry) as publication:
            publication.dirty.write_file(os.path.join(entry, name_in_entry(record["path"])), content)
            publication.leave_to_earlier(entry)
    except OSError:
        with contextlib.suppress(OSError):
            os.unlink(os.path.join(entry, name_in_entry(record["path"])))  # what a full disk left of it
        with contextlib.suppress(OSError):
            os.unlink(os.path.join(entry, layout.TRASH_FILE))
            os.rmdir(entry)
        raise


def _identity(path: str) -> tuple[int, int]:
    try:
        status = os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        raise Left("it is not there any more") from None
    return status.st_dev, status.st_ino
