"""Names of files and folders on this machine."""

import os

from ngshare_fs.formats.file_names import normal


def without_slash(name: str) -> str:
    """The name of an assignment as it was meant: the shell completes the name of a folder with a `/`."""
    return name.rstrip("/") or name


def path_in(folder: str, path: str) -> str:
    """Where a file of this name is in a folder, or would be: with the names of files and folders that are there.

    Args:
        folder: that is here.
        path: in it, as somebody else writes it.
    """
    place = folder
    for name in path.split("/"):
        place = os.path.join(place, _name_in(place, name))
    return place


def _name_in(folder: str, name: str) -> str:
    if name.isascii() or os.path.lexists(os.path.join(folder, name)):
        return name
    try:
        there = os.listdir(folder)
    except OSError:  # not there yet
        return name
    return next((other for other in sorted(there) if normal(other) == normal(name)), name)
