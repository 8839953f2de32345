"""A user's name taken out of the journal: in its place stands a word that is nobody's."""

import json
import os
import re
import time
from collections.abc import Iterator

from ngshare_fs.store.files.plain_file import open_plain
from ngshare_fs.store.format import journal_file, layout, timestamp
from ngshare_fs.store.format.journal_file import ENDING
from ngshare_fs.store.format.names import folder_of
from ngshare_fs.store.journal.whole_files import other_name_for
from ngshare_fs.store.volume import Volume

# A server has a file of the journal open for a second after it has written to it.
OPEN_SECONDS = 2.0
# Of a text that is too long for a line, so much is there.
LONGEST_IN_LINE = journal_file.LONGEST_FIELD - len(journal_file.CUT)


def files_naming(volume: Volume, user: str, courses: list[str]) -> Iterator[tuple[str, int]]:
    """The files that name a user, and in how many lines.

    Args:
        courses: of these only; all, and what concerns no course, where there are none.
    """
    folders = [os.path.join(layout.JOURNAL_OF_COURSES, folder_of(course)) for course in courses]
    if not courses:
        above = os.path.join(volume.root, layout.JOURNAL_OF_COURSES)
        folders = [layout.JOURNAL_OF_VOLUME, *(os.path.join(above, name) for name in layout.names_in(above))]
    for folder in folders:
        path = os.path.join(volume.root, folder)
        for name in layout.names_in(path):
            if name.endswith(ENDING):
                file = os.path.join(path, name)
                lines = sum(before != after for before, after in _lines(file, user, ""))
                if lines:
                    yield file, lines


def replace_name(volume: Volume, file: str, user: str, by: str) -> None:
    """Write a file anew without a user's name.

    Args:
        file: its path; it gets another one, so that a server that has it open goes on with a new file.
        by: what stands there instead.

    Raises:
        FileNotFoundError: it is not there any more.
    """
    folder, name = os.path.split(file)
    aside = os.path.join(folder, other_name_for(name))
    with volume.publication(file) as moving:
        moving.publish(aside)
    while 0 <= (age := time.time() - os.stat(aside).st_mtime) < OPEN_SECONDS:
        time.sleep(OPEN_SECONDS - age)
    with volume.publishing() as publication:
        with open(publication.staged, "xb") as staged:
            for _, after in _lines(aside, user, by):
                staged.write(after)
        publication.dirty.add_file(publication.staged)
        publication.publish(aside)


def _lines(file: str, user: str, by: str) -> Iterator[tuple[bytes, bytes]]:
    """Each line as it is and as it is to be."""
    # Of a name that is too long for a line, its beginning is there.
    escaped = json.dumps(user[:LONGEST_IN_LINE])[1:-1].encode()
    with open(open_plain(file), "rb") as opened:
        for line in opened:
            yield line, _without(line, user, by, escaped)


def _without(line: bytes, user: str, by: str, escaped: bytes) -> bytes:
    if escaped not in line:
        return line  # of others, as most are
    try:
        said = json.loads(line)
    except ValueError:
        said = None
    if not isinstance(said, dict):
        return b""  # torn, or nobody's: it says nothing that could be kept
    after = {key: _replaced(key, value, user, by) for key, value in said.items()}
    return line if after == said else json.dumps(after).encode() + b"\n"


def _replaced(key: str, value: object, user: str, by: str) -> object:
    if not isinstance(value, str):
        return value
    if key in ("by", "student"):
        return by if value in (user, journal_file.bounded(user)) else value
    # A name may be a number, as some time has it.
    if key == "detail" and not timestamp.is_whole(value):
        return re.sub(rf"(?<!\w){re.escape(user)}(?!\w)", lambda _: by, value)
    return value
