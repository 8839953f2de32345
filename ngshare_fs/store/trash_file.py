"""`trash.yaml`: what was deleted, when and by whom; all that is needed to bring it back."""

from collections.abc import Mapping
from dataclasses import dataclass

from ngshare_fs.store.timestamp import Timestamp
from ngshare_fs.store.yaml_text import Node, WrongShape, text_in

COURSE = "course"
ASSIGNMENT = "assignment"
KINDS = (COURSE, ASSIGNMENT)


@dataclass(frozen=True)
class Deletion:
    """What a `trash.yaml` says.

    Args:
        kind: one of `KINDS`.
        course: the deleted course, or the course of the deleted assignment.
        assignment: the deleted assignment, empty where it is a course.
        by: who deleted it.
        timestamp: when.
    """

    kind: str
    course: str
    assignment: str
    by: str
    timestamp: Timestamp


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
        assignment=_required(document, "assignment") if kind == ASSIGNMENT else "",
        by=_required(document, "by"),
        timestamp=Timestamp(_required(document, "timestamp")),
    )


def _required(document: Mapping[str, Node], key: str) -> str:
    text = text_in(document, key)
    if not text:
        raise WrongShape((key,), f"`{key}` is missing")
    return text
