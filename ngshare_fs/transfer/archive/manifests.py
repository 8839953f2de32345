"""Whether the trees in an archive are what their manifests say, without unpacking it."""

import hashlib

from ngshare_fs.formats.yaml_text import BrokenYaml, parse
from ngshare_fs.store.format import layout, manifest
from ngshare_fs.store.format.manifest import StoredFile
from ngshare_fs.transfer.archive.listing import is_tree
from ngshare_fs.transfer.archive.reading import Piece

# As many components have the paths of trees: of a release, a submission, a piece of feedback.
_DEPTHS = (6, 7, 9)


class ManifestCheck:
    """Sees the pieces of an archive in their order, in which a manifest comes before its files.

    Attributes:
        damaged: the paths of what is missing or differs.
    """

    def __init__(self) -> None:
        self.damaged: list[str] = []
        # Of the trees whose files are still to come: a feedback's between the manifest and the files of a submission.
        self._listed: dict[str, dict[str, StoredFile]] = {}

    def see(self, piece: Piece) -> None:
        """Take the content of a piece."""
        if piece.is_folder:
            return
        tree, _, name = piece.path.rpartition("/")
        if name == layout.MANIFEST and is_tree(tree):
            self._see_manifest(tree, piece)
            return
        parts = piece.path.split("/")
        for depth in _DEPTHS:
            tree = "/".join(parts[:depth])
            if len(parts) > depth + 1 and parts[depth] == layout.FILES and is_tree(tree):
                self._see_file(piece, self._listed.get(tree, {}).pop("/".join(parts[depth + 1 :]), None))

    def end(self) -> list[str]:
        """All that is missing or differs."""
        missing = [f"{tree}/{layout.FILES}/{path}" for tree, listed in self._listed.items() for path in listed]
        return self.damaged + missing

    def _see_manifest(self, tree: str, piece: Piece) -> None:
        try:
            found = parse(b"".join(piece.content), piece.path, manifest.understand)
        except BrokenYaml:
            self.damaged.append(piece.path)
            return
        self._listed = {tree: listed for tree, listed in self._listed.items() if listed}
        self._listed[tree] = {file.path: file for file in found.files}

    def _see_file(self, piece: Piece, listed: StoredFile | None) -> None:
        digest = hashlib.md5(usedforsecurity=False)
        for chunk in piece.content:
            digest.update(chunk)
        if listed is None or (listed.size, listed.md5) != (piece.size, digest.hexdigest()):
            self.damaged.append(piece.path)
