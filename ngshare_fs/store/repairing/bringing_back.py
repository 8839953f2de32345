"""Bringing back what was set aside: by one rename, to the path that it had, where nothing is by now.

The record beside it says that path. It leads nowhere else: not out of the volume, not over a link, and not into what is
the servers' own.
"""

import os
import stat
from dataclasses import dataclass

from ngshare_fs.store.checking.findings import FINDINGS
from ngshare_fs.store.format import layout, names
from ngshare_fs.store.format.layout import KnownFolder
from ngshare_fs.store.upkeep.restoring import CannotRestore, PlaceTaken, remove_rest
from ngshare_fs.store.upkeep.trash_entries import TrashEntry
from ngshare_fs.store.volume import Volume
from ngshare_fs.store.writing.free_name import rename_to_free_name


@dataclass(frozen=True)
class Return:
    """What is brought back.

    Args:
        entry: in which it lies.
        path: where it was, and will be, relative to the volume.
        finding: why it was set aside.
    """

    entry: TrashEntry
    path: str
    finding: str

    @property
    def course(self) -> str:
        """Of which course it is a part; empty where it is of none, or only its file knows the name."""
        parts = self.path.split("/")
        return (names.name_of(parts[1]) or "") if parts[0] == layout.COURSES and len(parts) > 2 else ""


def plan(volume: Volume, entry: TrashEntry) -> Return:
    """Look whether something can be brought back; nothing is changed.

    Args:
        entry: that is in quarantine, as its record says.

    Raises:
        PlaceTaken: something is at its place.
        CannotRestore: nothing that could be brought back is in it, or the folder around its place is gone or is none.
    """
    deletion = entry.deletion
    assert deletion is not None
    by_hand = "look into it, and move by hand what you want of it"
    if entry.is_empty:
        raise CannotRestore(f"{entry.name} is empty: what it was to set aside is still at its place, or there again")
    if entry.contents is None or deletion.folder not in entry.contents:
        raise CannotRestore(f"{entry.name} has no {deletion.folder!r}, but something else: {by_hand}")
    if deletion.finding not in FINDINGS:
        raise CannotRestore(f"{entry.name} was not found wrong, but {deletion.finding}: {by_hand}")
    mode = os.lstat(entry.content).st_mode
    if not (stat.S_ISDIR(mode) or stat.S_ISREG(mode)):
        raise CannotRestore(f"{deletion.path} is neither a file nor a folder: {by_hand}")
    found = Return(entry, deletion.path, deletion.finding)
    _check_way(volume, found)
    return found


def bring_back(volume: Volume, planned: Return) -> None:
    """Put it in its place, and remove what is left of the entry.

    Raises:
        PlaceTaken, CannotRestore: see `plan`.
        Interrupted: it was brought back, and then moved with the folder above.
    """
    place = os.path.join(volume.root, planned.path)
    folder = os.path.dirname(place)
    content = planned.entry.content
    try:
        with (
            volume.publication(content) as publication,
            # It may be a tree: in the order of those who publish there.
            volume.locks.hold("publish", folder[len(volume.root) :]),
        ):
            above = KnownFolder.look(folder)
            _check_way(volume, planned)
            if os.path.isdir(content):
                publication.publish(place, above=above, if_taken=_taken(planned))
            else:
                # The system refuses to put a folder onto something; a file would replace another one.
                above.check()
                volume.locks.check_held()
                rename_to_free_name(content, place)
                publication.leave_to_earlier(folder)
    except FileExistsError:
        raise _taken(planned) from None
    except FileNotFoundError:
        raise CannotRestore(f"{planned.entry.name} or the place of it is not there any more: look again") from None
    remove_rest(volume, planned.entry)


def _check_way(volume: Volume, planned: Return) -> None:
    *above, _ = parts = planned.path.split("/")
    if parts[0] == layout.PRIVATE:
        raise CannotRestore(f"{planned.path} is the servers' own: move it by hand while none runs")
    folder = volume.root
    for part in above:
        folder = os.path.join(folder, part)
        shown = os.path.relpath(folder, volume.root)
        if not os.path.lexists(folder):
            raise CannotRestore(f"there is no folder {shown} to which {planned.path} could go back: make it first")
        if os.path.islink(folder) or not layout.is_folder(folder):
            raise CannotRestore(f"{shown} is a link or a file by now: {planned.path} cannot go back there")
    if os.path.lexists(os.path.join(volume.root, planned.path)):
        raise _taken(planned)


def _taken(planned: Return) -> PlaceTaken:
    return PlaceTaken(f"something is at {planned.path} by now: if that is not wanted, move it away first", "")
