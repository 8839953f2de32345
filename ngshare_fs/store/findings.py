"""What can be wrong with a volume: every finding of `verify` by its code."""

from dataclasses import dataclass

# code: (what it means, what to do about it); `docs/volume-format.md` has the same table.
FINDINGS: dict[str, tuple[str, str]] = {
    "volume-file-missing": ("`ngshare.yaml` is missing", "write it; it holds one line, `layout: 1`"),
    "volume-file-broken": ("`ngshare.yaml` cannot be understood", "write it anew; it holds one line, `layout: 1`"),
    "layout-newer": ("the layout is newer than this program", "use the ngshare-fs that wrote the volume"),
    "unreadable": ("a file or folder cannot be read", "mend owner and mode; if the disk fails, restore a backup"),
    "stray": ("something lies where nothing of the kind belongs", "move it elsewhere; it is ignored, never served"),
    "name-not-canonical": (
        "no name leads to this folder, so it is never found",
        "rename it as the rule for names says",
    ),
    "name-differs": (
        "a cut folder name and the full name inside do not belong together",
        "restore folder and file together",
    ),
    "course-file-missing": ("a course has no `course.yaml`, so it does not exist", "restore or write it"),
    "course-file-broken": ("a `course.yaml` cannot be understood", "mend the line that is named"),
    "two-roles": ("somebody is instructor and student of one course; the instructor counts", "remove one entry"),
    "release-missing": ("an assignment has no release, so students fetch nothing", "release it again, or remove it"),
    "manifest-missing": ("a tree has no `manifest.yaml`", "restore the tree from a backup"),
    "manifest-broken": ("a `manifest.yaml` cannot be understood", "restore it from a backup"),
    "manifest-differs": ("kind or timestamp are not those of the tree's place", "move the tree to its place"),
    "path-illegal": ("a manifest names a path that leads out of its tree", "restore the manifest from a backup"),
    "path-twice": ("a manifest names a path twice", "restore the manifest from a backup"),
    "file-missing": ("a file of the manifest is missing", "restore it from a backup"),
    "file-extra": ("a file is not in the manifest; it is never served", "remove it, or restore the manifest"),
    "not-a-file": ("a link or device where a file belongs", "restore the file from a backup"),
    "size-differs": ("a file has not the size of its manifest", "restore it from a backup"),
    "checksum-differs": ("a file has not the checksum of its manifest", "restore it from a backup"),
    "trash-file-broken": (
        "an entry of the trash does not say what it is",
        "look into it; restore or remove it by hand",
    ),
}


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong.

    Args:
        code: a key of `FINDINGS`.
        path: the file or folder, relative to the volume.
        message: what is wrong with it.
    """

    code: str
    path: str
    message: str


def finding(code: str, path: str, detail: str = "") -> Finding:
    """A finding with the sentence of its code, and what is known of this case."""
    sentence = FINDINGS[code][0]
    return Finding(code, path or ".", f"{sentence} ({detail})" if detail else sentence)
