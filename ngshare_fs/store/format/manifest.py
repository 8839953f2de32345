"""The manifest beside the files of a release, a submission or a piece of feedback: kind, who, when, and each file.

A withdrawal is a manifest alone.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from ngshare_fs.formats import yaml_text
from ngshare_fs.formats.yaml_text import Node, WrongShape, text_in
from ngshare_fs.store.format.timestamp import Timestamp

RELEASE = "release"
WITHDRAWAL = "withdrawal"
SUBMISSION = "submission"
FEEDBACK = "feedback"
KINDS = (RELEASE, WITHDRAWAL, SUBMISSION, FEEDBACK)
_SIZE = re.compile("[0-9]{1,18}")


@dataclass(frozen=True)
class StoredFile:
    """One file of a published tree.

    Args:
        path: relative to the tree's `files/`.
        size: in bytes.
        md5: in hex.
    """

    path: str
    size: int
    md5: str


@dataclass(frozen=True)
class Manifest:
    """What a published tree says of itself.

    Args:
        kind: one of `KINDS`.
        course, assignment: their names at the time.
        by: the user who handed it in.
        timestamp: when.
        files: in the order in which they were handed in.
        student: whose submission it is, or whose submission the feedback is on.
        submission: the timestamp of the submission that the feedback is on.
        key: of submissions: what the client chose, so that handing in again after a failure is no second submission.
        rebuilt: when `repair` made this of the files that were there; None where it is as it was handed in.
    """

    kind: str
    course: str
    assignment: str
    by: str
    timestamp: Timestamp
    files: tuple[StoredFile, ...]
    student: str | None = None
    submission: Timestamp | None = None
    key: str | None = None
    rebuilt: Timestamp | None = None

    def to_yaml(self) -> bytes:
        """The text of `manifest.yaml`."""
        document: dict[str, object] = {
            "kind": self.kind,
            "course": self.course,
            "assignment": self.assignment,
        }
        if self.student is not None:
            document["student"] = self.student
        if self.submission is not None:
            document["submission"] = self.submission
        document["by"] = self.by
        if self.key is not None:
            document["key"] = self.key
        document["timestamp"] = self.timestamp
        if self.rebuilt is not None:
            document["rebuilt"] = self.rebuilt
        document["files"] = [{"path": file.path, "size": file.size, "md5": file.md5} for file in self.files]
        return yaml_text.dump(document)


def understand(document: Mapping[str, Node]) -> Manifest:
    """The manifest that a parsed `manifest.yaml` means.

    Raises:
        WrongShape: it is no manifest.
    """
    kind = _required(document, "kind")
    if kind not in KINDS:
        raise WrongShape(("kind",), f"`kind` has to be one of {', '.join(KINDS)}")
    files = document.get("files")
    if files is not None and not isinstance(files, list):
        raise WrongShape(("files",), "`files` has to be a list")
    submission = text_in(document, "submission")
    rebuilt = text_in(document, "rebuilt")
    return Manifest(
        kind=kind,
        course=_required(document, "course"),
        assignment=_required(document, "assignment"),
        by=_required(document, "by"),
        timestamp=Timestamp(_required(document, "timestamp")),
        files=tuple(_stored_file(entry) for entry in files or ()),
        student=text_in(document, "student"),
        submission=None if submission is None else Timestamp(submission),
        key=text_in(document, "key"),
        rebuilt=None if rebuilt is None else Timestamp(rebuilt),
    )


def _stored_file(entry: Node) -> StoredFile:
    if isinstance(entry, Mapping):
        path, size, md5 = entry.get("path"), entry.get("size"), entry.get("md5")
        if isinstance(path, str) and isinstance(size, str) and isinstance(md5, str) and _SIZE.fullmatch(size):
            return StoredFile(path, int(size), md5)
    raise WrongShape(("files",), "each of `files` needs `path`, `size` (a number of bytes) and `md5`")


def _required(document: Mapping[str, Node], key: str) -> str:
    text = text_in(document, key)
    if text is None:
        raise WrongShape((key,), f"`{key}` is missing")
    return text
