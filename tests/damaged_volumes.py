"""For each finding of `verify`, a damaged volume of that name: what was done to a good one."""

import os
from collections.abc import Callable
from pathlib import Path

from tests.hand_made import LONG_FOLDER, RELEASED, SUBMITTED

COURSE = "courses/NBG 101"
RELEASE = f"{COURSE}/assignments/ps1/releases/{RELEASED}"
SUBMISSION = f"{COURSE}/assignments/ps1/submissions/lawrence/{SUBMITTED}"


def _edit(file: Path, old: str, new: str) -> None:
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new, 1))


def volume_file_missing(root: Path) -> None:
    (root / "ngshare.yaml").unlink()


def volume_file_broken(root: Path) -> None:
    (root / "ngshare.yaml").write_text("layout: one\n")


def layout_newer(root: Path) -> None:
    (root / "ngshare.yaml").write_text("layout: 2\n")


def unreadable(root: Path) -> None:
    # Not even root reads a link that is followed nowhere.
    (root / COURSE / "course.yaml").unlink()
    (root / COURSE / "course.yaml").mkdir()


def stray(root: Path) -> None:
    (root / COURSE / "assignments/ps1/submissions/lawrence/notes.txt").touch()


def name_not_canonical(root: Path) -> None:
    (root / COURSE).rename(root / "courses/%4EBG 101")


def name_differs(root: Path) -> None:
    _edit(root / "courses" / LONG_FOLDER / "course.yaml", "course: x", "course: y")


def course_file_missing(root: Path) -> None:
    (root / COURSE / "course.yaml").unlink()


def course_file_broken(root: Path) -> None:
    _edit(root / COURSE / "course.yaml", "  kevin: {}", "  kevin: {}\n  kevin: {}")


def two_roles(root: Path) -> None:
    _edit(root / COURSE / "course.yaml", "  kevin: {}", "  kevin: {}\n  lawrence:")


def release_missing(root: Path) -> None:
    (root / COURSE / "assignments/ps2/submissions").mkdir(parents=True)


def manifest_missing(root: Path) -> None:
    (root / SUBMISSION / "manifest.yaml").unlink()


def manifest_broken(root: Path) -> None:
    _edit(root / SUBMISSION / "manifest.yaml", "size: ", "size: about ")


def manifest_differs(root: Path) -> None:
    _edit(root / SUBMISSION / "manifest.yaml", "kind: submission", "kind: release")


def path_illegal(root: Path) -> None:
    with (root / RELEASE / "manifest.yaml").open("a") as file:
        file.write("- {path: ../../x, size: 1, md5: 0}\n")


def path_twice(root: Path) -> None:
    manifest = root / RELEASE / "manifest.yaml"
    head, _, entries = manifest.read_text().partition("files:\n")
    first = entries[: entries.index("- ", 1)]
    manifest.write_text(f"{head}files:\n{first}{entries}")


def file_missing(root: Path) -> None:
    (root / RELEASE / "files/p.ipynb").unlink()


def file_extra(root: Path) -> None:
    (root / RELEASE / "files/data/more.csv").touch()


def not_a_file(root: Path) -> None:
    file = root / RELEASE / "files/p.ipynb"
    file.unlink()
    os.symlink("/etc/passwd", file)


def size_differs(root: Path) -> None:
    (root / RELEASE / "files/p.ipynb").write_text("{} ")


def checksum_differs(root: Path) -> None:
    (root / RELEASE / "files/p.ipynb").write_text("[]")


def trash_file_broken(root: Path) -> None:
    next((root / "trash").glob("*/trash.yaml")).write_text("kind\n")


DAMAGES: dict[str, Callable[[Path], None]] = {
    damage.__name__.replace("_", "-"): damage
    for damage in (
        volume_file_missing,
        volume_file_broken,
        layout_newer,
        unreadable,
        stray,
        name_not_canonical,
        name_differs,
        course_file_missing,
        course_file_broken,
        two_roles,
        release_missing,
        manifest_missing,
        manifest_broken,
        manifest_differs,
        path_illegal,
        path_twice,
        file_missing,
        file_extra,
        not_a_file,
        size_differs,
        checksum_differs,
        trash_file_broken,
    )
}
