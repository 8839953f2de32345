"""How much a published tree takes, from its manifest alone: nothing below `files/` is looked at."""

import os
import re
from typing import NamedTuple

from ngshare_fs.store.errors import BrokenManifest
from ngshare_fs.store.format import manifest
from ngshare_fs.store.format.layout import MANIFEST
from ngshare_fs.store.format.manifest import Manifest
from ngshare_fs.store.reading.yaml_file import content_of, understood

# A manifest as servers write it. To understand the YAML takes twenty times as long, and a large volume has a million.
_HEAD = rb"kind: [a-z]+\n(?:[a-z]+: [^\n]*\n)+?files:\n"
_FILE = rb"- path: [^\n]*\n  size: ([0-9]{1,18})\n  md5: [0-9a-f]{32}\n"
_PLAIN_MANIFEST = re.compile(rb"%s(?:%s)+" % (_HEAD, _FILE))
_SIZE = re.compile(_FILE)


class TreeSize(NamedTuple):
    """What trees take.

    Args:
        files: how many there are in them.
        bytes: what these take together, as they were handed in.
    """

    files: int
    bytes: int

    def plus(self, other: "TreeSize") -> "TreeSize":
        """Both together."""
        return TreeSize(self.files + other.files, self.bytes + other.bytes)


NOTHING = TreeSize(0, 0)


def size_of_tree(path: str) -> TreeSize:
    """What the tree in the folder `path` takes.

    Raises:
        BrokenManifest: its manifest is missing, or cannot be read or understood.
        FileNotFoundError: the tree itself is gone.
    """
    file = os.path.join(path, MANIFEST)
    content = _content_of(file)
    if _PLAIN_MANIFEST.fullmatch(content):
        sizes = [int(size) for size in _SIZE.findall(content)]
        return TreeSize(len(sizes), sum(sizes))
    files = understood(content, file, manifest.understand).files
    return TreeSize(len(files), sum(each.size for each in files))


def manifest_of_tree(path: str) -> Manifest:
    """What the tree says of itself; raises as `size_of_tree` does."""
    file = os.path.join(path, MANIFEST)
    return understood(_content_of(file), file, manifest.understand)


def _content_of(file: str) -> bytes:
    try:
        return content_of(file)
    except FileNotFoundError:
        if not os.path.isdir(os.path.dirname(file)):
            raise  # deleted meanwhile
        raise BrokenManifest(file, None, "the manifest is missing") from None
