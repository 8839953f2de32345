"""Checksums of files that are here, to be compared with those that the server names."""

import hashlib
import os
from collections.abc import Mapping

READ_AT_ONCE = 256 * 1024


def checksum_of(place: str) -> str | None:
    """MD5 of a file, in hex; None where there is none."""
    if not os.path.isfile(place):  # who opens a pipe waits for ever
        return None
    try:
        with open(place, "rb") as file:
            digest = hashlib.md5(usedforsecurity=False)
            while chunk := file.read(READ_AT_ONCE):
                digest.update(chunk)
            return digest.hexdigest()
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        return None


def has_all(folder: str, checksums: Mapping[str, str] | None) -> bool:
    """Whether a folder has these files as they are on the server; false where nobody knows their checksums.

    Args:
        folder: where they would be.
        checksums: by path; None where nobody knows them.
    """
    return checksums is not None and all(
        checksum_of(os.path.join(folder, path)) == checksum for path, checksum in checksums.items()
    )
