"""Whatever lies on a volume, `verify` goes through all of it, changes nothing, and follows no link."""

import os
import re
import shutil
import tracemalloc
from pathlib import Path

import pytest

from ngshare_fs.store.checking.verify import verify_volume
from tests.verifying import codes, everything, found_in, removable
from tests.volumes import (
    ASSIGNMENT,
    COURSE,
    INSTRUCTOR,
    RELEASED_FILES,
    STUDENT,
    SUBMITTED,
    Plain,
    folder_of,
    write_course,
    write_release,
    write_rich_volume,
    write_submission,
    write_volume,
)

__all__ = ["removable"]


def test_nothing_is_changed(tmp_path: Path) -> None:
    root = write_rich_volume(tmp_path / "volume")
    (root / "courses" / "stray").write_text("")
    before = everything(root)
    assert codes(root) == ["stray"]
    assert everything(root) == before


def test_a_volume_that_cannot_be_written_is_verified(tmp_path: Path) -> None:
    root = Plain(tmp_path / "volume").root
    for path in [root, *root.rglob("*")]:
        path.chmod(0o555 if path.is_dir() else 0o444)
    assert found_in(root) == []


def test_a_manifest_without_names_is_found_and_survived(tmp_path: Path) -> None:
    plain = Plain(tmp_path / "volume")
    assignment = plain.assignment.rename(plain.assignment.with_name(folder_of("a" * 300)))
    file = assignment / "releases" / plain.release.name / "manifest.yaml"
    file.write_text(re.sub("assignment: .*", "assignment: ''", file.read_text()))
    file = assignment / "submissions" / STUDENT / plain.submission.name / "manifest.yaml"
    file.write_text(re.sub("student: .*\n", "", file.read_text()))
    assert codes(plain.root) == ["assignment-differs", "student-differs"]


def test_names_that_no_terminal_should_see_are_escaped(tmp_path: Path) -> None:
    plain = Plain(tmp_path / "volume")
    for name in (b"two\nlines", b"\x1b[31mred", b"not utf-8 \xff", "\u202etxet".encode()):
        Path(os.fsdecode(os.fsencode(plain.course) + b"/" + name)).touch()
    for finding in verify_volume(plain.root):
        assert finding.code == "stray"
        line = f"{finding.path}: {finding.message}"
        assert line.isprintable()
        line.encode()


def test_links_are_found_everywhere_and_never_followed(tmp_path: Path) -> None:
    plain = Plain(tmp_path / "volume")
    secret = tmp_path / "secret"
    secret.mkdir()
    (secret / "file").write_text("")
    places = [
        plain.root / "link",
        plain.course / "link",
        plain.submission / "link",
        plain.submission / "files" / "link",
        plain.deletion / "link",
    ]
    for place in places:
        place.symlink_to(secret)
    for place in (plain.submission / "files" / "data" / "x.csv", plain.release / "manifest.yaml"):
        place.unlink()
        place.symlink_to(secret / "file")
        places.append(place)
    shutil.rmtree(plain.feedback / "files")
    (plain.feedback / "files").symlink_to(secret)
    places.append(plain.feedback / "files")
    found = list(verify_volume(plain.root))
    assert {finding.code for finding in found} == {"symlink"}
    assert sorted(finding.path for finding in found) == sorted(str(place.relative_to(plain.root)) for place in places)


def test_the_volume_itself_may_be_reached_by_a_link(tmp_path: Path) -> None:
    plain = Plain(tmp_path / "volume")
    (tmp_path / "link").symlink_to(plain.root)
    assert codes(tmp_path / "link") == []


@pytest.mark.parametrize("what", ["course.yaml", "manifest.yaml", "files", "problem1.html"])
def test_what_cannot_be_read_is_a_finding(tmp_path: Path, what: str) -> None:
    plain = Plain(tmp_path / "volume")
    paths = {
        "course.yaml": plain.course / "course.yaml",
        "manifest.yaml": plain.feedback / "manifest.yaml",
        "files": plain.feedback / "files",
        "problem1.html": plain.feedback / "files" / "problem1.html",
    }
    paths[what].chmod(0)
    found = [(finding.code, finding.path) for finding in found_in(plain.root)]
    assert found == [("unreadable", str(paths[what].relative_to(plain.root)))]


def test_a_folder_that_can_be_listed_but_not_entered_is_survived(tmp_path: Path) -> None:
    plain = Plain(tmp_path / "volume")
    for folder in (plain.release / "files", plain.submission, plain.course):
        folder.chmod(0o444)
        assert {finding.code for finding in found_in(plain.root)} == {"unreadable"}


def test_a_file_in_the_place_of_a_folder_and_the_other_way_round(tmp_path: Path) -> None:
    plain = Plain(tmp_path / "volume")
    file, folder = plain.submission / "files" / "problem1.ipynb", plain.submission / "files" / "data"
    file.unlink()
    file.mkdir()
    shutil.rmtree(folder)
    folder.touch()
    found = [(finding.code, finding.path.rpartition("files/")[2]) for finding in verify_volume(plain.root)]
    assert found == [("file-missing", "problem1.ipynb"), ("file-missing", "data/x.csv")]


@pytest.mark.parametrize(
    "content", [b"[" * 200_000, b"- " * 200_000, b"a: " + b"{a: " * 9_999, b"\0", b"\xff", b"&a *a"]
)
def test_no_yaml_file_ends_the_program(tmp_path: Path, content: bytes) -> None:
    plain = Plain(tmp_path / "volume")
    for file in plain.root.rglob("*.yaml"):
        file.write_bytes(content)
    assert set(codes(plain.root)) == {
        "volume-file-broken", "course-file-broken", "manifest-broken", "trash-file-broken",
    }  # fmt: skip


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    assert codes(tmp_path / "nowhere") == ["unreadable"]


def test_the_first_finding_comes_before_the_rest_is_read(tmp_path: Path) -> None:
    plain = Plain(tmp_path / "volume")
    (plain.root / "aaa").touch()
    findings = verify_volume(plain.root)
    assert next(findings).path == "aaa"
    shutil.rmtree(plain.root / "courses")
    assert list(findings) == []  # what somebody deletes meanwhile is not missed


def test_memory_does_not_grow_with_the_files(tmp_path: Path) -> None:
    root = write_volume(tmp_path / "volume")
    course = write_course(root, COURSE)
    write_release(course, (COURSE, ASSIGNMENT), INSTRUCTOR, SUBMITTED, RELEASED_FILES)
    for day in range(1, 10):
        moment = f"2020-02-{day:02} 00:00:00.000000 UTC"
        write_submission(course, (COURSE, ASSIGNMENT), STUDENT, moment, {"large": bytes(4_000_000)})
    tracemalloc.start()
    try:
        assert codes(root) == []
        assert tracemalloc.get_traced_memory()[1] < 3_000_000
    finally:
        tracemalloc.stop()
