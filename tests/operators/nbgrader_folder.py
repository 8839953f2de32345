"""nbgrader's exchange folder, as its commands would have made it; made without the code that reads it."""

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

COURSE = "NBG 101"
HANDED_IN = "2020-01-30 10:30:47.524219 UTC"
LATER = "2020-01-31 09:00:00.000001 UTC"
RANDOM = "aB-_90xYzQ12"
SECRET = "5e" * 64
NOTEBOOK = b'{"cells": []}'


@dataclass
class ExchangeFolder:
    """The folder; a course's own where none is named."""

    root: Path

    def release(
        self, assignment: str = "ps1", *, course: str = COURSE, at: float = 1580000000.25,
        files: dict[str, bytes] | None = None,
    ) -> Path:  # fmt: skip
        """Release."""
        folder = self.root / course / "outbound" / assignment
        _write(folder, files or {"problem1.ipynb": NOTEBOOK})
        (self.root / course / "inbound").mkdir(exist_ok=True)
        os.utime(folder, (at, at))
        return folder

    def submission(
        self,
        student: str,
        time: str = HANDED_IN,
        assignment: str = "ps1",
        *,
        course: str = COURSE,
        random: str | None = RANDOM,
        written: str | None = "",
        secret: str | None = SECRET,
        files: dict[str, bytes] | None = None,
    ) -> Path:
        """Hand in.

        Args:
            random: the end of the folder's name; none where None.
            written: what is in `timestamp.txt`: nothing where None, `time` where empty.
            secret: likewise.
            files: what is handed in.
        """
        end = "" if random is None else f"+{random}"
        folder = self.root / course / "inbound" / f"{student}+{assignment}+{time}{end}"
        _write(folder, {"problem1.ipynb": NOTEBOOK + student.encode()} if files is None else files)
        if written is not None:
            (folder / "timestamp.txt").write_text(written or time)
        if secret is not None:
            (folder / "submission_secret.txt").write_text(secret)
        return folder

    def page(
        self, hashed: bytes, content: bytes = b"<p>good</p>", course: str = COURSE, at: float = 1590000000
    ) -> Path:
        """Give feedback: a page whose name is the MD5 of something."""
        page = self.root / course / "feedback" / f"{hashlib.md5(hashed).hexdigest()}.html"
        page.parent.mkdir(exist_ok=True, mode=0o711)
        page.write_bytes(content)
        os.utime(page, (at, at))
        return page


def _write(folder: Path, files: dict[str, bytes]) -> None:
    folder.mkdir(parents=True)
    for path, content in files.items():
        place = folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)


def contents(tree: Path) -> dict[str, bytes]:
    """The files of a tree by path."""
    return {str(path.relative_to(tree)): path.read_bytes() for path in sorted(tree.rglob("*")) if path.is_file()}
