"""Room on the disk that is about to be written, for what is large."""

import shutil

from ngshare_fs.settings import SettingsError
from ngshare_fs.terminal.table import size_in_words


def check_room(folder: str, needed: int, what: str, advice: str) -> None:
    """Refuse to fill a disk on which others write; what the file system needs beside the files is not counted.

    Args:
        folder: on the disk.
        needed: bytes.
        what: needs them, in the plural.
        advice: what to do instead of making room.

    Raises:
        SettingsError: there is less.
    """
    free = shutil.disk_usage(folder).free
    if needed > free:
        raise SettingsError(
            f"{folder}: {what} need {size_in_words(needed)}, and {size_in_words(free)} are free: make room, or {advice}"
        )
