"""Volumes made by hand, from `docs/volume-format.md` alone: nothing here uses the store's own writing code."""

import hashlib
from pathlib import Path

RELEASED = "20200130T103047.524219Z"
AGAIN = "20200202T000000.000000Z"
SUBMITTED = "20200131T090000.000001Z"
LATER = "20200131T090000.000002Z"
RETURNED = "20200203T120000.000000Z"
RETURNED_AGAIN = "20200204T120000.000000Z"
LONG = "x" * 300
LONG_FOLDER = "x" * 206 + "%~" + hashlib.sha256(LONG.encode()).hexdigest()[:32]

COURSE = """\
course: {course}
instructors:
  kevin: {{}}
students:
  lawrence:
    first_name: Lawrence
    last_name: ''
    email: l@uni.example
"""


def text_time(folder: str) -> str:
    """A timestamp as manifests write it."""
    day, time = folder[:8], folder[9:]
    return f"{day[:4]}-{day[4:6]}-{day[6:]} {time[:2]}:{time[2:4]}:{time[4:13]} UTC"


def write_tree(folder: Path, kind: str, files: dict[str, str], more: str = "", assignment: str = "ps1") -> Path:
    """A published tree, its timestamp being the folder's name."""
    lines = [f"kind: {kind}", "course: NBG 101", f"assignment: {assignment}", more, "by: kevin"]
    lines += [f"timestamp: {text_time(folder.name)}", "files:"]
    for path, content in files.items():
        target = folder / "files" / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(content)
        lines += [f"- path: {path}", f"  size: {len(content.encode())}"]
        lines += [f"  md5: {hashlib.md5(content.encode()).hexdigest()}"]
    (folder / "files").mkdir(parents=True, exist_ok=True)
    (folder / "manifest.yaml").write_text("\n".join(line for line in lines if line) + "\n")
    return folder


def write_volume(root: Path) -> Path:
    """A volume with everything that the format knows; two courses, one with a name that had to be cut."""
    (root / "courses").mkdir(parents=True)
    (root / "trash/20200101T000000.000000Z-00000000/old").mkdir(parents=True)
    (root / "trash/20200101T000000.000000Z-00000000/trash.yaml").write_text("kind: course\ncourse: old\n")
    (root / "ngshare.yaml").write_text("layout: 1\n")
    for folder, name in (("NBG 101", "NBG 101"), (LONG_FOLDER, LONG)):
        course = root / "courses" / folder
        (course / "assignments").mkdir(parents=True)
        (course / "course.yaml").write_text(COURSE.format(course=name))
    assignments = root / "courses/NBG 101/assignments"
    for folder in ("ps1", LONG_FOLDER, "%2E%2E", "a%2Fb", "no"):
        name = {LONG_FOLDER: LONG, "%2E%2E": "..", "a%2Fb": "a/b"}.get(folder, folder)
        releases = assignments / folder / "releases"
        write_tree(releases / RELEASED, "release", {"p.ipynb": "{}", "data/x.csv": "1,2\n"}, assignment=name)
        write_tree(releases / AGAIN, "release", {"p.ipynb": "{ }", "data/x.csv": "1,2\n"}, assignment=name)
        (assignments / folder / "submissions").mkdir()
    students = assignments / "ps1/submissions"
    for folder, name in (("lawrence", "lawrence"), ("007", "007"), ("%2Ehidden", ".hidden"), (LONG_FOLDER, LONG)):
        for moment in (SUBMITTED, LATER):
            write_tree(students / folder / moment, "submission", {"p.ipynb": name[:9]}, f"student: {name}")
    handed_in = students / "lawrence" / SUBMITTED
    for moment in (RETURNED, RETURNED_AGAIN):
        more = f"student: lawrence\nsubmission: {text_time(SUBMITTED)}"
        write_tree(handed_in / "feedback" / moment, "feedback", {"p.html": moment}, more)
    return root
