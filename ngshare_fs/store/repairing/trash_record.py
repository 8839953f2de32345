"""A `trash.yaml` made anew, where what was deleted tells what it is."""

import os

from ngshare_fs.formats import yaml_text
from ngshare_fs.store.format import layout, timestamp
from ngshare_fs.store.format.layout import KnownFolder
from ngshare_fs.store.format.manifest import SUBMISSION, Manifest
from ngshare_fs.store.format.names import folder_of
from ngshare_fs.store.format.trash_file import ASSIGNMENT, COURSE
from ngshare_fs.store.repairing.quarantine import keep_copy
from ngshare_fs.store.repairing.rebuilding import NOBODY_KNOWS
from ngshare_fs.store.repairing.step import Damage, Left, Step
from ngshare_fs.store.repairing.tree_place import course_in, manifest_in, manifests_below, read_if_there
from ngshare_fs.store.volume import Volume

_IF_NO_FILE = "that has to be mended first"
_TIMESTAMP_LENGTH = len("20200130T103047.524219Z")


def from_what_was_deleted(damage: Damage) -> Step:
    """Write the record of a deletion anew."""
    entry = os.path.dirname(damage.path)
    moment = timestamp.from_folder(os.path.basename(entry)[:_TIMESTAMP_LENGTH])
    deleted = [name for name in sorted(os.listdir(entry)) if name != layout.TRASH_FILE]
    if len(deleted) != 1 or moment is None:
        raise Left("more than one thing lies in the entry: look which of them was deleted")
    record = _record_of(entry, deleted[0]) | {"by": NOBODY_KNOWS, "timestamp": moment}
    old = read_if_there(damage.path, _IF_NO_FILE)

    def mend(volume: Volume, by: str) -> None:
        above = KnownFolder.look(entry)
        if read_if_there(damage.path, _IF_NO_FILE) != old:
            raise Left("it is not as it was any more: run this again")
        if old is not None:
            keep_copy(volume.root, volume.flusher, damage.place, damage.finding, by)
        with volume.publishing() as publication:
            publication.dirty.write_file(publication.staged, yaml_text.dump(record))
            publication.publish(damage.path, above=above)

    what = record.get("submission") or record.get("assignment") or record["course"]
    copy = "" if old is None else "; a copy of the broken one goes to quarantine"
    words = f"write it anew: {record['kind']} {what!r}, as what lies there says, by {NOBODY_KNOWS!r}{copy}"
    return Step(damage, words, damage.place, mend)


def _record_of(entry: str, name: str) -> dict[str, str]:
    """What the record of a deleted folder says, but for who deleted it, and when.

    Raises:
        Left: the folder does not tell.
    """
    path = os.path.join(entry, name)
    said: dict[str, str] = {}
    course = course_in(os.path.join(path, layout.COURSE_FILE))
    if course is not None:
        said = {"kind": COURSE, "course": course}
        own = course
    elif os.path.isdir(os.path.join(path, layout.RELEASES)) and (found := _first(path)):
        own = found.assignment
        said = {"kind": ASSIGNMENT, "course": found.course, "assignment": own}
    elif (found := manifest_in(path)) and found.kind == SUBMISSION and found.student:
        names = {"course": found.course, "assignment": found.assignment, "student": found.student}
        said = {"kind": SUBMISSION, **names, "submission": found.timestamp}
        if timestamp.folder_of(found.timestamp) == name:
            return said
        raise Left("its folder has another time than its manifest: look which is right")
    else:
        raise Left("what lies there does not tell what it is: look into it, and bring it back or empty the trash")
    if folder_of(own) != name:
        raise Left(f"its folder is {name!r}, and inside it is called {own!r}: look which is right")
    return said


def _first(path: str) -> Manifest | None:
    return next(manifests_below(os.path.join(path, layout.RELEASES)), None)
