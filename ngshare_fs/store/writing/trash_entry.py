"""Entries of the trash for what is put there without being moved as a whole."""

import os
import secrets

from ngshare_fs.formats import yaml_text
from ngshare_fs.store.format import layout, timestamp
from ngshare_fs.store.writing.durability import DirtySet, Flusher


def new_entry(root: str, flusher: Flusher, record: dict[str, str]) -> str:
    """Make an entry, flushed, that has its `trash.yaml` and nothing else yet.

    Args:
        root: the volume's folder.
        record: what its `trash.yaml` says, but for the time.

    Returns:
        the path of the entry.
    """
    moment = timestamp.now()
    trash = os.path.join(root, layout.TRASH)
    entry = os.path.join(trash, f"{timestamp.folder_of(moment)}-{secrets.token_hex(4)}")
    dirty = DirtySet(flusher)
    dirty.make_folder_unless_there(trash)
    dirty.make_folder(entry)
    dirty.write_file(os.path.join(entry, layout.TRASH_FILE), yaml_text.dump({**record, "timestamp": moment}))
    dirty.changed(trash)
    dirty.flush()
    return entry
