"""A zip that was chosen in a form, on the volume or in memory, and the files that come of it."""

import hashlib
import io
from typing import IO

from ngshare_fs.api.request.spill import MOST_HELD, PORTION
from ngshare_fs.formats import chosen_zip
from ngshare_fs.formats.chosen_zip import ChosenZip, Entry
from ngshare_fs.store import IncomingFile, Upload


def size_of_zip(file: IncomingFile, most_files: int, most_bytes: int) -> int:
    """What is in it takes so many bytes; blocking.

    Args:
        most_files, most_bytes: see `chosen_zip.opened`.

    Raises:
        UnfitZip: it is not taken.
    """
    with _source(file) as source, chosen_zip.opened(source, most_files, most_bytes) as found:
        return found.size


def unpack(file: IncomingFile, upload: Upload, most_files: int, most_bytes: int) -> list[IncomingFile]:
    """The files in it; blocking.

    Args:
        upload: where they go.
        most_files, most_bytes: see `chosen_zip.opened`.

    Raises:
        UnfitZip: it is not taken.
        OSError: the volume could not take them.
    """
    held = 0
    unpacked = []
    with _source(file) as source, chosen_zip.opened(source, most_files, most_bytes) as found:
        for entry in found.entries:
            if held + entry.size <= MOST_HELD:
                held += entry.size
                content = b"".join(found.content(entry, PORTION))
                unpacked.append(IncomingFile(entry.path, len(content), "", content))
            else:
                unpacked.append(_staged(found, entry, upload))
    return unpacked


def _staged(found: ChosenZip, entry: Entry, upload: Upload) -> IncomingFile:
    place, size, md5 = upload.new_file(), 0, hashlib.md5(usedforsecurity=False)
    with open(place, "xb", buffering=0) as target:
        for piece in found.content(entry, PORTION):
            md5.update(piece)
            size += len(piece)
            rest = memoryview(piece)
            while rest:
                rest = rest[target.write(rest) :]
    return IncomingFile(entry.path, size, md5.hexdigest(), staged=place)


def _source(file: IncomingFile) -> IO[bytes]:
    if file.staged is not None:
        return open(file.staged, "rb")
    assert file.content is not None
    return io.BytesIO(file.content)
