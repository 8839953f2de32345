"""What a file is known by, so that what was read of it need not be read again while it is the same.

A file that changed just now may change once more without another fingerprint: clocks of file systems tick slowly. git
calls such entries racily clean.
"""

import os
from typing import NamedTuple

# Coarser than any clock tick of a file system in use (FAT: 2 s; ext4: 4 ms), and room for clocks that disagree.
RACY_NANOSECONDS = 3_000_000_000


class FileFingerprint(NamedTuple):
    """What a file is known by. The change time betrays a copy that was given an old modification time.

    Args:
        inode: its number.
        size: in bytes.
        modified: in nanoseconds since 1970.
        changed: likewise.
    """

    inode: int
    size: int
    modified: int
    changed: int

    def is_settled(self, seen: int) -> bool:
        """Whether the file was so old that no later change could leave the same fingerprint.

        Args:
            seen: when it was looked at, in nanoseconds since 1970; a moment before that, to be safe.
        """
        return seen - max(self.modified, self.changed) > RACY_NANOSECONDS


# That of a file which is not there, or cannot be read; no other one has it.
NO_FILE = FileFingerprint(0, 0, 0, 0)


def fingerprint_of(status: os.stat_result) -> FileFingerprint:
    """The fingerprint of a file."""
    return FileFingerprint(status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)
