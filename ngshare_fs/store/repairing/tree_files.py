"""Files of a tree: one that was renamed by hand gets its name back, and what is not listed is set aside."""

import os
import stat

from ngshare_fs.store.errors import IllegalPath
from ngshare_fs.store.format import layout
from ngshare_fs.store.format.manifest import StoredFile
from ngshare_fs.store.format.tree_paths import check_path
from ngshare_fs.store.repairing.quarantine import set_aside
from ngshare_fs.store.repairing.rebuilding import size_and_md5
from ngshare_fs.store.repairing.renaming import rename
from ngshare_fs.store.repairing.step import Damage, Left, Step
from ngshare_fs.store.repairing.tree_place import TreePlace


def extra(damage: Damage) -> Step:
    """What the manifest does not list is a file that it misses, or is set aside."""
    try:
        tree = TreePlace.of(damage)
        for file in _missing(tree):
            if _is(damage.path, file):
                return _rename(damage, tree, damage.place, file)
    except Left:
        pass  # in the trash, or without a manifest: nobody can tell what is missing
    return set_aside(damage)


def missing(damage: Damage) -> Step:
    """What the manifest lists is there under another name, or only a backup has it."""
    tree = TreePlace.of(damage)
    top = os.path.join(tree.path, layout.FILES)
    listed = {file.path for file in tree.manifest().files}
    wanted = next((file for file in _missing(tree) if os.path.join(top, file.path) == damage.path), None)
    if wanted is not None:
        for above, folders, names in os.walk(top):
            folders.sort()
            for path in (os.path.join(above, name) for name in sorted(names)):
                if os.path.relpath(path, top) not in listed and _is(path, wanted):
                    return _rename(damage, tree, os.path.relpath(path, damage.root), wanted)
    raise Left(
        "only a backup has what was handed in; the manifest bears witness, and is never made to fit other content"
    )


def _missing(tree: TreePlace) -> list[StoredFile]:
    """What a manifest lists and is not there."""
    found = []
    for file in tree.manifest().files:
        try:
            check_path(file.path)
        except IllegalPath:
            continue
        if not os.path.lexists(os.path.join(tree.path, layout.FILES, file.path)):
            found.append(file)
    return found


def _is(path: str, file: StoredFile) -> bool:
    """Whether a file has the content that a manifest lists; an empty one may be any."""
    status = os.lstat(path)
    is_alike = stat.S_ISREG(status.st_mode) and status.st_size == file.size > 0
    return is_alike and size_and_md5(path) == (file.size, file.md5)


def _rename(damage: Damage, tree: TreePlace, place: str, file: StoredFile) -> Step:
    to = f"{tree.place}/{layout.FILES}/{file.path}"
    if not os.path.isdir(os.path.dirname(os.path.dirname(os.path.join(damage.root, to)))):
        raise Left(f"the folders for {to} are not there: make them first")
    return rename(damage, place, to)
