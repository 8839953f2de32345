"""Volumes written by hand, from nothing but `docs/volume-format.md`: another program's view of the format.

None of the store's code is used here, so that what it writes and what the page says cannot drift apart together.
"""

import hashlib
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

COURSE = "math"
INSTRUCTOR = "kevin"
STUDENT = "lawrence"
ASSIGNMENT = "ps1"
RELEASED = "2020-01-30 10:30:47.524219 UTC"
SUBMITTED = "2020-01-31 09:00:00.000001 UTC"
RETURNED = "2020-02-03 12:00:00.000000 UTC"
DELETED = "2020-03-01 08:00:00.000000 UTC"

Files = Mapping[str, bytes]
RELEASED_FILES = {"problem1.ipynb": b"{}\n", "data/x.csv": b"x\n1\n"}
SUBMITTED_FILES = {"problem1.ipynb": b'{"cells": []}\n', "data/x.csv": b"x\n1\n"}
RETURNED_FILES = {"problem1.html": b"<p>well done</p>\n"}

# One name of each sort that ever made trouble somewhere.
HOSTILE_NAMES = (
    "..",
    ".",
    "/etc",
    "a/b",
    "nul\0nul",
    ".hidden",
    "x" * 300,
    "x" * 299 + "y",
    "ö" * 200,
    "%" * 100,
    "\N{PILE OF POO}",
    "zoë@uni.example",
    "no",
    "007",
    "1e3",
    "null",
    "~",
    "2020-01-01",
    "trailing ",
    " leading",
    "trailing.",
    "100%",
    "a%2Fb",
    "%~",
    "two\nlines",
    "- dash: colon # hash",
    "quote'\"\\",
    "right\u202eto left",
    "files",
    "course.yaml",
    "CON",
    "-rf",
)

LEGAL_PATHS = (
    "deep/" * 255 + "file",
    "x" * 255,
    " ",
    "a b/c d",
    "-",
    "ü",
    ".hidden/.file",
    "%2F",
    "back\\slash",
    "two\nlines",
    "manifest.yaml",
    "files/files",
    "feedback/20200203T120000.000000Z/manifest.yaml",
    "\N{PILE OF POO}",
    "...",
    "~",
)


def folder_of(name: str) -> str:
    """The folder of a name."""
    encoded = ""
    for position, character in enumerate(name):
        code = ord(character)
        unsafe = (
            code < 0x20
            or 0x7F <= code <= 0x9F
            or character in "%/"
            or 0x2028 <= code <= 0x202E
            or 0x2066 <= code <= 0x2069
            or (position == 0 and character == ".")
            or (position == len(name) - 1 and character in " .")
        )
        encoded += "".join(f"%{byte:02X}" for byte in character.encode()) if unsafe else character
    if len(encoded.encode()) <= 240:
        return encoded
    kept = encoded.encode()[:206].decode(errors="ignore")
    kept = re.sub("%[0-9A-F]?$", "", kept)
    return kept + "%~" + hashlib.sha256(name.encode()).hexdigest()[:32]


def folder_of_time(timestamp: str) -> str:
    """The folder of a timestamp."""
    return timestamp.removesuffix(" UTC").replace("-", "").replace(":", "").replace(" ", "T") + "Z"


def quoted(text: str) -> str:
    """A text as a YAML double-quoted scalar, which can hold any."""
    plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 -_.:/@+"
    return '"' + "".join(letter if letter in plain else f"\\U{ord(letter):08X}" for letter in text) + '"'


def key(text: str) -> str:
    """A text as a key; YAML wants a question mark before a long one."""
    return f"? {quoted(text)}\n  " if len(quoted(text)) > 1000 else quoted(text)


def write_volume(root: Path) -> Path:
    """An empty volume."""
    (root / "courses").mkdir(parents=True)
    (root / "ngshare.yaml").write_text("layout: 2\n")
    return root


def write_course(root: Path, course: str, instructors: Sequence[str] = (), students: Sequence[str] = ()) -> Path:
    """A course; gives its folder."""
    folder = root / "courses" / folder_of(course)
    folder.mkdir()
    lines = [f"course: {quoted(course)}", "instructors:"]
    lines += [f"  {key(user)}:" for user in instructors]
    lines += ["students:"]
    lines += [f"  {key(user)}: {{email: {quoted(user)}}}" for user in students]
    (folder / "course.yaml").write_text("\n".join(lines) + "\n")
    return folder


def write_tree(folder: Path, said: Mapping[str, str], files: Files) -> Path:
    """A dated tree in `folder`; `said` is what its manifest says beside the files, `timestamp` among it."""
    tree = folder / folder_of_time(said["timestamp"])
    tree.mkdir(parents=True)
    for path, content in files.items():
        file = tree / "files" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    write_manifest(tree, said, [(path, len(content), md5(content)) for path, content in files.items()])
    return tree


def write_manifest(tree: Path, said: Mapping[str, str], files: Sequence[tuple[str, int, str]]) -> None:
    """A tree's manifest, listing files by path, size and checksum."""
    lines = [f"{key}: {quoted(value)}" for key, value in said.items()]
    lines += ["files:" if files else "files: []"]
    lines += [f"- path: {quoted(path)}\n  size: {size}\n  md5: {checksum}" for path, size, checksum in files]
    (tree / "manifest.yaml").write_text("\n".join(lines) + "\n")


def md5(content: bytes) -> str:
    """The checksum of a file."""
    return hashlib.md5(content).hexdigest()


def write_release(course: Path, names: tuple[str, str], by: str, timestamp: str, files: Files) -> Path:
    """A release of the assignment `names[1]` of the course `names[0]`; gives its tree."""
    said = {"kind": "release", "course": names[0], "assignment": names[1], "by": by, "timestamp": timestamp}
    return write_tree(course / "assignments" / folder_of(names[1]) / "releases", said, files)


def write_withdrawal(course: Path, names: tuple[str, str], by: str, timestamp: str) -> Path:
    """A withdrawal of what was released before; gives its tree."""
    said = {"kind": "withdrawal", "course": names[0], "assignment": names[1], "by": by, "timestamp": timestamp}
    return write_tree(course / "assignments" / folder_of(names[1]) / "releases", said, {})


def write_submission(course: Path, names: tuple[str, str], student: str, timestamp: str, files: Files) -> Path:
    """A submission; gives its tree."""
    said = {
        "kind": "submission",
        "course": names[0],
        "assignment": names[1],
        "student": student,
        "by": student,
        "timestamp": timestamp,
    }
    submissions = course / "assignments" / folder_of(names[1]) / "submissions"
    return write_tree(submissions / folder_of(student), said, files)


def write_feedback(
    submission: Path, names: tuple[str, str], student: str, on: str, by: str, timestamp: str, files: Files
) -> Path:
    """Feedback on a submission; gives its tree."""
    said = {
        "kind": "feedback",
        "course": names[0],
        "assignment": names[1],
        "student": student,
        "submission": on,
        "by": by,
        "timestamp": timestamp,
    }
    return write_tree(submission / "feedback", said, files)


def write_dates(assignment: Path, extended: Sequence[str] = ()) -> Path:
    """Dates of an assignment by which its time is now, and more time for some; gives the file."""
    lines = ["release: 2020-01-30 08:00 Europe/Vienna", "due: 2099-01-01 23:59:59 +05:30", "close: 2099-02-01 UTC"]
    lines += ["grace: 1h30m", "extensions:"]
    lines += [f"  {key(user)}: {{due: 2099-03-01 UTC, reason: {quoted(user)}, by: {INSTRUCTOR}}}" for user in extended]
    file = assignment / "assignment.yaml"
    file.write_text("\n".join(lines) + "\n")
    return file


def write_deletion(root: Path, said: Mapping[str, str], end: str = "0123abcd") -> Path:
    """An entry of the trash, still without what was deleted; gives its folder."""
    entry = root / "trash" / f"{folder_of_time(said['timestamp'])}-{end}"
    entry.mkdir(parents=True)
    (entry / "trash.yaml").write_text("".join(f"{key}: {quoted(value)}\n" for key, value in said.items()))
    return entry


class Plain:
    """A small volume with one of each, for damaging: the paths in it."""

    def __init__(self, root: Path) -> None:
        names = (COURSE, ASSIGNMENT)
        self.root = write_volume(root)
        self.course = write_course(root, COURSE, [INSTRUCTOR], [STUDENT])
        self.release = write_release(self.course, names, INSTRUCTOR, RELEASED, RELEASED_FILES)
        self.submission = write_submission(self.course, names, STUDENT, SUBMITTED, SUBMITTED_FILES)
        self.feedback = write_feedback(self.submission, names, STUDENT, SUBMITTED, INSTRUCTOR, RETURNED, RETURNED_FILES)
        said = {"kind": "assignment", "course": COURSE, "assignment": "old", "by": INSTRUCTOR, "timestamp": DELETED}
        self.deletion = write_deletion(root, said)
        write_release(self.course, (COURSE, "old"), INSTRUCTOR, RELEASED, RELEASED_FILES)
        (self.course / "assignments" / "old").rename(self.deletion / "old")

    @property
    def assignment(self) -> Path:
        """The folder of the one assignment."""
        return self.release.parent.parent


def write_rich_volume(root: Path) -> Path:
    """A volume with whatever is legal: hostile names, several releases, feedback given twice, empty trees."""
    Plain(root)
    for name in HOSTILE_NAMES:
        course = write_course(root, name, [INSTRUCTOR], [STUDENT])
        names = (name, ASSIGNMENT)
        write_release(course, names, INSTRUCTOR, RELEASED, RELEASED_FILES)
    course = write_course(root, "NBG 101", [INSTRUCTOR, "yes"], [*HOSTILE_NAMES[:-2], STUDENT])
    for number, name in enumerate(HOSTILE_NAMES):
        write_release(course, ("NBG 101", name), INSTRUCTOR, f"2020-01-01 00:00:00.{number:06} UTC", {})
    names = ("NBG 101", ASSIGNMENT)
    write_release(course, names, INSTRUCTOR, RELEASED, RELEASED_FILES)
    write_release(course, names, "yes", "2020-02-29 23:59:59.999999 UTC", {"newer.ipynb": b"2"})
    for name in (*HOSTILE_NAMES, "left the course"):
        tree = write_submission(course, names, name, SUBMITTED, SUBMITTED_FILES)
        write_feedback(tree, names, name, SUBMITTED, INSTRUCTOR, RETURNED, {"first.html": b"1"})
        write_feedback(tree, names, name, SUBMITTED, "yes", "2020-02-03 12:00:00.000001 UTC", {"second.html": b"2"})
        write_submission(course, names, name, "2020-02-01 00:00:00.000000 UTC", {"later.ipynb": b"later"})
    write_dates(course / "assignments" / ASSIGNMENT, HOSTILE_NAMES)
    with (course / "course.yaml").open("a") as file:
        file.write("timezone: Europe/Vienna\ngrace: 5m\nclose_after: 2d\n")
    files = {path: path.encode() for path in LEGAL_PATHS}
    files |= {"empty": b"", "large": bytes(range(256)) * 8192}
    write_submission(course, names, STUDENT, SUBMITTED, files)
    # What crashes and people leave behind, and nobody minds.
    (course / "assignments" / ASSIGNMENT / "submissions" / "started to hand in").mkdir()
    (root / "trash" / "20200301T080000.000000Z-00000000").mkdir()
    said = {"kind": "course", "course": "gone", "by": "root", "timestamp": DELETED}
    write_deletion(root, said, "00000001")
    entry = write_deletion(root, said | {"course": "x" * 300}, "00000002")
    (root / "courses" / folder_of("x" * 300)).rename(entry / folder_of("x" * 300))
    (root / ".ngshare" / "staging" / "process-0123456789abcdef" / "tree").mkdir(parents=True)
    (root / ".ngshare" / "locks").mkdir()
    (root / ".ngshare" / "locks" / "0001.lock").touch()
    (root / "lost+found").mkdir()
    write_course(root, "nobody yet")
    return root
