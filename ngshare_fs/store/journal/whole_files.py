"""The journal's files as a whole: brought in with a course, and moved with one. What stands in them is not changed."""

import contextlib
import errno
import os
import re
import secrets

from ngshare_fs.store.format import layout
from ngshare_fs.store.format.journal_file import ENDING
from ngshare_fs.store.format.names import folder_of
from ngshare_fs.store.volume import Volume
from ngshare_fs.store.writing.free_name import rename_to_free_name

CHUNK = 1024 * 1024
_MONTH = re.compile(r"([0-9]{4}-[0-9]{2})\b.*\.jsonl")


def folder_of_course(root: str, course: str) -> str:
    """The folder of what was done in a course."""
    return os.path.join(root, layout.JOURNAL_OF_COURSES, folder_of(course))


def bring_in(volume: Volume, files: list[str], course: str) -> None:
    """Put journal files from elsewhere among those of a course. What is there already is not added again.

    Args:
        files: their paths, on the volume; they are moved, or left where nothing of them is missing.
    """
    if not files:
        return
    folder = folder_of_course(volume.root, course)
    dirty = volume.dirty_set()
    for above in (layout.JOURNAL, layout.JOURNAL_OF_COURSES, os.path.relpath(folder, volume.root)):
        dirty.make_folder_unless_there(os.path.join(volume.root, above))
    for file in files:
        _put(file, folder)
    dirty.changed(folder)
    dirty.flush()


def move(volume: Volume, old: str, new: str) -> None:
    """Let the journal of a course go with it to its new name. A server may go on to write into the same files.

    Args:
        old, new: the names of the course. Where there is a journal of the new name, from an earlier course, both stay.
    """
    source, target = folder_of_course(volume.root, old), folder_of_course(volume.root, new)
    if not layout.is_folder(source):
        return
    try:
        os.rename(source, target)
    except OSError as error:
        if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
            raise
        bring_in(volume, [os.path.join(source, name) for name in sorted(os.listdir(source))], new)
        with contextlib.suppress(OSError):
            os.rmdir(source)
    dirty = volume.dirty_set()
    dirty.changed(os.path.dirname(target))
    dirty.flush()


def other_name_for(name: str) -> str:
    """A name that no file has yet, for one of the same month; where the name begins with none, it is kept in front."""
    found = _MONTH.fullmatch(name)
    return f"{found[1] if found else name}.{secrets.token_hex(4)}{ENDING}"


def _put(file: str, folder: str) -> None:
    name = os.path.basename(file)
    while True:
        try:
            rename_to_free_name(file, os.path.join(folder, name))
            return
        except FileExistsError:
            if _begins_with(os.path.join(folder, name), file):
                os.unlink(file)
                return
        # A file of another system that had the same name: all that begin with a month are read.
        name = other_name_for(os.path.basename(file))


def _begins_with(path: str, beginning: str) -> bool:
    """Whether a file has all that another one has: journals only grow."""
    with open(path, "rb") as whole, open(beginning, "rb") as part:
        while chunk := part.read(CHUNK):
            if whole.read(len(chunk)) != chunk:
                return False
    return True
