"""The journal: who did what, a line of JSON for each thing done. A record for people; nothing is ever decided by it."""

import json
import os
from dataclasses import asdict, dataclass

from ngshare_fs.store.format import layout, timestamp
from ngshare_fs.store.format.names import folder_of
from ngshare_fs.store.volume import Volume
from ngshare_fs.store.writing.flushers import flush_file, flush_folder


@dataclass(frozen=True)
class Event:
    """One thing that was done.

    Args:
        what: a word for it: `release`, `submit`, `restore`, …
        by: who did it; the name of the system's user where `via` is `command`.
        via: `api`, `page` or `command`.
        course, assignment, student: what it was done to, as far as it applies.
        detail: the rest, in words or as a timestamp.
    """

    what: str
    by: str
    via: str
    course: str = ""
    assignment: str = ""
    student: str = ""
    detail: str = ""


def record(volume: Volume, event: Event) -> None:
    """Write a line, and flush it.

    Raises:
        OSError: it cannot be written.
    """
    moment = timestamp.now()
    place = (
        os.path.join(layout.JOURNAL_OF_COURSES, folder_of(event.course)) if event.course else layout.JOURNAL_OF_VOLUME
    )
    folder = os.path.join(volume.root, place)
    path = os.path.join(folder, f"{moment[:7]}.jsonl")
    line = json.dumps({"time": moment, **{key: value for key, value in asdict(event).items() if value}}) + "\n"
    is_new = not os.path.exists(path)
    os.makedirs(folder, exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o666)
    try:
        os.write(descriptor, line.encode())
    finally:
        os.close(descriptor)
    flush_file(path)
    if is_new:
        flush_folder(folder)


def _folder_of(root: str, course: str) -> str:
    if course:
        return os.path.join(root, layout.JOURNAL_OF_COURSES, folder_of(course))
    return os.path.join(root, layout.JOURNAL_OF_VOLUME)
