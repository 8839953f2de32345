"""`trash.yaml`: what was deleted or set aside, when and by whom; all that is needed to bring it back."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from ngshare_fs.formats.yaml_text import Node, WrongShape, text_in
from ngshare_fs.store.format import timestamp
from ngshare_fs.store.format.layout import COURSES, TRASH_FILE
from ngshare_fs.store.format.names import folder_of
from ngshare_fs.store.format.timestamp import Timestamp

COURSE = "course"
ASSIGNMENT = "assignment"
SUBMISSION = "submission"
# What `repair` has set aside: anything from anywhere.
QUARANTINE = "quarantine"
KINDS = (COURSE, ASSIGNMENT, SUBMISSION, QUARANTINE)
RESTORED_AS = "restored_as"


@dataclass(frozen=True)
class Deletion:
    """What a `trash.yaml` says.

    Args:
        kind: one of `KINDS`.
        course: the deleted course, or the one of what was deleted; empty in quarantine.
        assignment: the deleted assignment, or the one of the deleted submission; empty where it is a course.
        by: who deleted it.
        timestamp: when.
        student, submission: whose submission it is, and of when; empty where it is none.
        path: in quarantine: where it was, relative to the volume; what is no UTF-8 in it is escaped.
        finding: in quarantine: why it is there, a code of `verify`'s findings as a rule.
        restored_as: the name that somebody was about to bring a course back by; its file may have that already.
    """

    kind: str
    course: str
    assignment: str
    by: str
    timestamp: Timestamp
    student: str = ""
    submission: Timestamp | None = None
    path: str = ""
    finding: str = ""
    restored_as: str | None = None

    @property
    def folder(self) -> str:
        """The name of what was deleted: of a folder or, in quarantine, of a file."""
        if self.kind == QUARANTINE:
            return name_in_entry(self.path)
        if self.submission is not None:
            return timestamp.folder_of(self.submission)
        return folder_of(self.course if self.kind == COURSE else self.assignment)

    @property
    def is_quarantine(self) -> bool:
        """Whether it was set aside, and not deleted."""
        return self.kind == QUARANTINE

    def is_of(self, course: str) -> bool:
        """Whether it was a course, or something of it."""
        if self.kind == QUARANTINE:
            return self.path.split("/")[:2] == [COURSES, folder_of(course)]
        return self.course == course


def understand(document: Mapping[str, Node]) -> Deletion:
    """The deletion that a parsed `trash.yaml` means.

    Raises:
        WrongShape: it is none.
    """
    kind = _required(document, "kind")
    if kind not in KINDS:
        raise WrongShape(("kind",), f"`kind` has to be one of {', '.join(KINDS)}")
    if kind == QUARANTINE:
        return Deletion(
            kind=kind,
            course="",
            assignment="",
            by=_required(document, "by"),
            timestamp=Timestamp(_required(document, "timestamp")),
            path=_path(document),
            finding=_required(document, "finding"),
        )
    return Deletion(
        kind=kind,
        course=_required(document, "course"),
        assignment="" if kind == COURSE else _required(document, "assignment"),
        by=_required(document, "by"),
        timestamp=Timestamp(_required(document, "timestamp")),
        student=_required(document, "student") if kind == SUBMISSION else "",
        submission=_submission(document) if kind == SUBMISSION else None,
        restored_as=text_in(document, RESTORED_AS) if kind == COURSE else None,
    )


def quarantine_record(path: str, finding: str, by: str) -> dict[str, str]:
    """What the record of something in quarantine says, but for the time.

    Args:
        path: where it was, relative to the volume.
        finding: why it is set aside.
        by: who did it.
    """
    # What is no UTF-8 in a path cannot stand in YAML. Whoever brings it back gets the escaped name.
    shown = re.sub("[\udc80-\udcff]", lambda byte: f"%{ord(byte[0]) - 0xDC00:02X}", path)
    return {"kind": QUARANTINE, "path": shown, "finding": finding, "by": by}


def name_in_entry(path: str) -> str:
    """By what name something from that path lies in quarantine: its own, unless the record beside it has that."""
    name = path.rpartition("/")[2]
    return f"{name}~" if name == TRASH_FILE else name


def _path(document: Mapping[str, Node]) -> str:
    path = _required(document, "path")
    if any(part in ("", ".", "..") for part in path.split("/")) or "\0" in path:
        # Whoever brings it back must not write elsewhere.
        raise WrongShape(("path",), "`path` has to be relative to the volume, and must not lead out of it")
    return path


def _submission(document: Mapping[str, Node]) -> Timestamp:
    text = _required(document, "submission")
    if not timestamp.is_whole(text):
        # Whoever brings it back must not write elsewhere.
        raise WrongShape(("submission",), "`submission` has to be a time such as 2020-01-31 09:00:00.004711 UTC")
    return Timestamp(text)


def _required(document: Mapping[str, Node], key: str) -> str:
    text = text_in(document, key)
    if not text:
        raise WrongShape((key,), f"`{key}` is missing")
    return text
