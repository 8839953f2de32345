"""`trash.yaml`: what was deleted, when and by whom; all that is needed to bring it back."""

from collections.abc import Mapping
from dataclasses import dataclass

from ngshare_fs.formats.yaml_text import Node, WrongShape, text_in
from ngshare_fs.store.format import timestamp
from ngshare_fs.store.format.names import folder_of
from ngshare_fs.store.format.timestamp import Timestamp

COURSE = "course"
ASSIGNMENT = "assignment"
SUBMISSION = "submission"
KINDS = (COURSE, ASSIGNMENT, SUBMISSION)


@dataclass(frozen=True)
class Deletion:
    """What a `trash.yaml` says.

    Args:
        kind: one of `KINDS`.
        course: the deleted course, or the one of what was deleted.
        assignment: the deleted assignment, or the one of the deleted submission; empty where it is a course.
        by: who deleted it.
        timestamp: when.
        student, submission: whose submission it is, and of when; empty where it is none.
    """

    kind: str
    course: str
    assignment: str
    by: str
    timestamp: Timestamp
    student: str = ""
    submission: Timestamp | None = None

    @property
    def folder(self) -> str:
        """The name of the folder that was deleted."""
        if self.submission is not None:
            return timestamp.folder_of(self.submission)
        return folder_of(self.course if self.kind == COURSE else self.assignment)


def understand(document: Mapping[str, Node]) -> Deletion:
    """The deletion that a parsed `trash.yaml` means.

    Raises:
        WrongShape: it is none.
    """
    kind = _required(document, "kind")
    if kind not in KINDS:
        raise WrongShape(("kind",), f"`kind` has to be one of {', '.join(KINDS)}")
    return Deletion(
        kind=kind,
        course=_required(document, "course"),
        assignment="" if kind == COURSE else _required(document, "assignment"),
        by=_required(document, "by"),
        timestamp=Timestamp(_required(document, "timestamp")),
        student=_required(document, "student") if kind == SUBMISSION else "",
        submission=Timestamp(_required(document, "submission")) if kind == SUBMISSION else None,
    )


def _required(document: Mapping[str, Node], key: str) -> str:
    text = text_in(document, key)
    if not text:
        raise WrongShape((key,), f"`{key}` is missing")
    return text
