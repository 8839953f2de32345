"""`ngshare.yaml` written anew, where nothing but a volume can be meant. Done before the volume is opened."""

import os
import re

from ngshare_fs.store.format import layout
from ngshare_fs.store.repairing.quarantine import keep_copy
from ngshare_fs.store.repairing.step import Damage, Left
from ngshare_fs.store.repairing.tree_place import course_in, read_if_there
from ngshare_fs.store.volume import check_owner, write_volume_file
from ngshare_fs.store.writing.flushers import flusher_for

# Up to this one, a volume of an earlier layout is one of the present layout as it is.
LAST_ALIKE = 2
_BELONGS = {
    layout.VOLUME_FILE, layout.COURSES, layout.TRASH, layout.JOURNAL, layout.PRIVATE, layout.LOST_AND_FOUND,
}  # fmt: skip
_IF_NO_FILE = "move that elsewhere"


def check_can_be_written(damage: Damage) -> str:
    """Look whether the file can be written anew; gives the words for it.

    Raises:
        Left: nobody can tell what belongs into it.
    """
    if layout.LAYOUT > LAST_ALIKE:
        raise Left("nobody can tell which layout the volume has: restore the file from a backup")
    others = sorted(set(os.listdir(damage.root)) - _BELONGS)
    if others:
        raise Left(f"something else lies there, too ({', '.join(map(repr, others[:3]))}): is this a volume at all?")
    if not _has_course(damage.root):
        raise Left("there is no course with a `course.yaml` that can be understood: is this a volume at all?")
    old = read_if_there(damage.path, _IF_NO_FILE)
    if old is not None and any(int(number) > layout.LAYOUT for number in re.findall(rb"[0-9]{1,9}", old)):
        raise Left("it may have had a newer layout: restore it from a backup")
    copy = "" if old is None else "; a copy of the broken one goes to quarantine"
    return f"write `layout: {layout.LAYOUT}`, which is right for what earlier ones left, too{copy}"


def write_anew(damage: Damage, by: str) -> None:
    """Write it.

    Raises:
        Left: see `check_can_be_written`.
        VolumeError: what this user writes the server could not change.
        OSError: it cannot be written.
    """
    check_owner(damage.root)
    check_can_be_written(damage)
    flusher = flusher_for(damage.root)
    try:
        if read_if_there(damage.path, _IF_NO_FILE) is not None:
            keep_copy(damage.root, flusher, damage.place, damage.finding, by)
        write_volume_file(damage.root)
    finally:
        flusher.close()


def _has_course(root: str) -> bool:
    try:
        names = os.listdir(os.path.join(root, layout.COURSES))
    except OSError:
        return False
    return any(course_in(os.path.join(root, layout.COURSES, name, layout.COURSE_FILE)) for name in names)
