"""Making an archive: written aside, flushed, read back and compared, and only then given its name."""

import contextlib
import errno
import os
import secrets
import time
from collections.abc import Callable, Iterator
from typing import BinaryIO, NamedTuple

from ngshare_fs import __version__
from ngshare_fs.store import Volume
from ngshare_fs.store.files.plain_file import open_plain
from ngshare_fs.store.format import layout, timestamp
from ngshare_fs.store.writing.flushers import flush_folder
from ngshare_fs.store.writing.free_name import rename_to_free_name
from ngshare_fs.transfer.archive.checksums import Checksums
from ngshare_fs.transfer.archive.compression import compressed
from ngshare_fs.transfer.archive.layout import DESCRIPTION, SUMS, Description
from ngshare_fs.transfer.archive.listing import ChangedMeanwhile, Entry, Listing
from ngshare_fs.transfer.archive.manifests import ManifestCheck
from ngshare_fs.transfer.archive.reading import opened_archive, told_of
from ngshare_fs.transfer.archive.tar_stream import CHUNK, TarWriter


class Written(NamedTuple):
    """An archive that was written.

    Args:
        description: what it says of itself.
        size: of the file, in bytes.
        damaged: the paths of files that are not what their manifests say, or could not be taken in.
    """

    description: Description
    size: int
    damaged: list[str]


def describe(listing: Listing, course: str, by: str) -> Description:
    """What an archive of a course would say of itself."""
    counts = {
        key: listing.counts[key]
        for key in ("assignments", "releases", "submissions", "feedback", "folders", "files", "size")
    }
    return Description(f"ngshare-fs {__version__}", layout.LAYOUT, course, timestamp.now(), by, **counts)


def write_archive(
    volume: Volume, listing: Listing, description: Description, target: str, told: Callable[[int], object]
) -> Written:
    """Write a course into a file that is not there yet.

    Args:
        listing: what goes into it.
        description: of the course.
        target: the path of the file.
        told: of so many bytes that were read, twice each: of the volume, and of the archive.

    Raises:
        FileExistsError: there is something of that name.
        ChangedMeanwhile: the course is not any more what was listed.
        BrokenArchive: what was read back is not what was written: the disk fails.
        OSError: something cannot be read or written.
    """
    if os.path.lexists(target):
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), target)
    partial = f"{target}.partial-{secrets.token_hex(4)}"
    try:
        with open(partial, "xb", opener=_for_its_owner) as file:
            passed_over = list(listing.passed_over)
            _write(volume.root, listing, description, file, told)
            file.flush()
            os.fsync(file.fileno())
            size = os.fstat(file.fileno()).st_size
            # So that it comes from the disk when it is read back, and not from memory.
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        damaged = read_back(partial, told)
        rename_to_free_name(partial, target)
        flush_folder(os.path.dirname(os.path.abspath(target)))
        return Written(description, size, list(dict.fromkeys(passed_over + damaged)))
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(partial)


def read_back(path: str, told: Callable[[int], object]) -> list[str]:
    """Check an archive whole.

    Args:
        told: of so many bytes that have come by.

    Returns:
        the paths of files in it that are not what their manifests say.

    Raises:
        BrokenArchive: it is not whole.
        OSError: it cannot be read.
    """
    check = ManifestCheck()
    with opened_archive(path) as archive:
        for piece in archive.pieces(told):
            check.see(piece)
    return check.end()


def _for_its_owner(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)  # what students handed in is nobody else's affair


def _write(
    root: str, listing: Listing, description: Description, file: BinaryIO, told: Callable[[int], object]
) -> None:
    with compressed(file) as stream, Checksums() as checksums:
        tar = TarWriter(stream)
        text = description.to_yaml()
        now = int(time.time())
        tar.add_file(DESCRIPTION, len(text), now, checksums.of(DESCRIPTION, [text]))
        for entry in listing:
            if entry.is_folder:
                tar.add_folder(entry.path, entry.modified)
                continue
            whole = listing.text_of(entry)
            content = _content(os.path.join(root, entry.path), entry) if whole is None else [whole]
            tar.add_file(entry.path, entry.size, entry.modified, told_of(checksums.of(entry.path, content), told))
        tar.add_file(SUMS, checksums.size, now, checksums.lines())
        tar.end()


def _content(path: str, entry: Entry) -> Iterator[bytes]:
    """So many bytes of a file as were there when it was listed: a journal has grown since."""
    try:
        descriptor = open_plain(path)
    except FileNotFoundError:
        raise ChangedMeanwhile(entry.path) from None
    with open(descriptor, "rb", buffering=0) as file:
        left = entry.size
        while left:
            chunk = file.read(min(CHUNK, left))
            if not chunk:
                raise ChangedMeanwhile(entry.path)
            left -= len(chunk)
            yield chunk
