"""Every finding of `verify` has a name, a damaged volume of that name, and a row in the documentation."""

import hashlib
import importlib
import os
import pkgutil
import re
import shutil
import stat
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ngshare_fs.command.main import main
from ngshare_fs.store.checking.findings import FINDINGS, Finding
from ngshare_fs.store.checking.verify import verify_volume
from tests import damaged_volumes
from tests.conftest import Exchange
from tests.trees import tree
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

CODES = sorted(module.name.replace("_", "-") for module in pkgutil.iter_modules(damaged_volumes.__path__))
NOBODY = 65534


def damaged(root: Path, code: str) -> str:
    """Make the damaged volume of that name; gives the path at which it is damaged, relative to it."""
    module = importlib.import_module(f"tests.damaged_volumes.{code.replace('-', '_')}")
    return str(module.damage(Plain(root)).relative_to(root))


def codes(root: Path) -> list[str]:
    return [finding.code for finding in verify_volume(root)]


def everything(root: Path) -> dict[str, tuple[object, ...]]:
    """All that can be known of a tree without changing it."""
    found: dict[str, tuple[object, ...]] = {}
    for folder, _, files in os.walk(root):
        for path in (Path(folder), *(Path(folder, name) for name in files)):
            status = path.lstat()
            content = hashlib.md5(path.read_bytes()).hexdigest() if stat.S_ISREG(status.st_mode) else ""
            found[str(path)] = (status.st_ino, status.st_mode, status.st_mtime_ns, status.st_ctime_ns, content)
    return found


@contextmanager
def somebody_else_in(root: Path) -> Iterator[Path]:
    """As a user for whom modes count (for root they do not); inside, so that the folders above need not be ours."""
    before = Path.cwd()
    os.chdir(root)
    if os.geteuid() == 0:
        os.seteuid(NOBODY)
    try:
        yield Path()
    finally:
        os.seteuid(os.getuid())
        os.chdir(before)


@pytest.fixture(autouse=True)
def removable(tmp_path: Path) -> Iterator[None]:
    """Let whoever is not root remove what a test made unreadable."""
    yield
    for folder, folders, _ in os.walk(tmp_path):
        for name in folders:
            path = Path(folder, name)
            if not path.is_symlink():
                path.chmod(0o755)


def found_in(root: Path) -> list[Finding]:
    with somebody_else_in(root) as inside:
        return list(verify_volume(inside))


def test_the_volumes_are_good_before_they_are_damaged(tmp_path: Path) -> None:
    Plain(tmp_path / "plain")
    assert list(verify_volume(tmp_path / "plain")) == []


def test_hostile_names_and_paths_are_no_findings(tmp_path: Path) -> None:
    write_rich_volume(tmp_path / "rich")
    assert list(verify_volume(tmp_path / "rich")) == []


@pytest.mark.parametrize("code", CODES)
def test_each_damage_is_found_and_nothing_else(tmp_path: Path, code: str) -> None:
    path = damaged(tmp_path / "volume", code)
    before = everything(tmp_path)
    assert [(finding.code, finding.path) for finding in found_in(tmp_path / "volume")] == [(code, path)]
    assert everything(tmp_path) == before


def test_every_finding_has_a_damaged_volume() -> None:
    assert sorted(FINDINGS) == CODES


@pytest.mark.parametrize("code", CODES)
def test_the_command_prints_a_line_for_it_and_exits_with_1(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], code: str
) -> None:
    path = damaged(tmp_path / "volume", code)
    with somebody_else_in(tmp_path / "volume"):
        assert main(["verify", "--data", "."]) == 1
    output = capsys.readouterr().out.splitlines()
    assert len(output) == 1
    assert output[0].startswith(f"{code} {path}: ")


def test_a_good_volume_lets_the_command_exit_with_0(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Plain(tmp_path / "volume")
    assert main(["verify", "--data", str(tmp_path / "volume")]) == 0
    assert capsys.readouterr().out == "no findings\n"
    assert main(["verify", "--data", str(tmp_path / "nowhere")]) == 2


async def test_what_the_server_writes_has_no_findings(taught: Exchange) -> None:
    long = "y" * 300
    for name in ("..", "a/b", long, "no", "a "):
        people = f'[{{"username": "{name}", "first_name": "", "last_name": "", "email": ""}}]'
        assert (await taught.call("POST", "students/c", "kevin", students=people)).status == 200
        if name.strip() == name:
            files = tree({"f/g": name.encode(), "h": b""})
            moment = (await taught.call("POST", "submission/c/a", name, files=files)).body["timestamp"]
    answer = await taught.raw("POST", "feedback/c/a/no", "kevin", timestamp=moment, files=tree({"f": b"1"}))
    assert answer.status == 200
    assert (await taught.call("PUT", "assignment/c/a", "kevin", files=tree({"f": b"1"}))).status == 200
    assert (await taught.call("POST", f"course/{long}", "root")).status == 200
    assert (await taught.call("POST", f"assignment/c/{long}", "kevin", files=tree({}))).status == 200
    assert (await taught.call("DELETE", f"assignment/c/{long}", "kevin")).status == 200
    assert list(verify_volume(taught.data)) == []


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


def test_all_damages_of_one_volume_are_found(tmp_path: Path) -> None:
    together = [
        "checksum-differs", "course-file-broken", "file-extra", "file-missing", "not-a-timestamp", "path-illegal",
        "special-file", "stray", "trash-file-broken", "volume-file-broken",
    ]  # fmt: skip
    plain = Plain(tmp_path / "volume")
    for code in together:
        importlib.import_module(f"tests.damaged_volumes.{code.replace('-', '_')}").damage(plain)
    assert sorted(codes(plain.root)) == together


def test_the_line_of_a_broken_file_is_named(tmp_path: Path) -> None:
    plain = Plain(tmp_path / "volume")
    (plain.course / "course.yaml").write_text("course: math\nstudents:\n  ada:\n  ada:\n")
    (finding,) = verify_volume(plain.root)
    assert "line 4" in finding.message
    assert "ada" in finding.message


def test_damage_in_the_trash_is_found(tmp_path: Path) -> None:
    plain = Plain(tmp_path / "volume")
    (file,) = plain.deletion.glob("old/releases/*/files/problem1.ipynb")
    file.unlink()
    assert codes(plain.root) == ["file-missing"]


def test_a_record_in_the_trash_that_names_something_else_is_found(tmp_path: Path) -> None:
    plain = Plain(tmp_path / "volume")
    (plain.deletion / "old").rename(plain.deletion / "older")
    assert codes(plain.root) == ["assignment-differs"]


def test_a_folder_moved_into_the_trash_by_hand_is_found(tmp_path: Path) -> None:
    plain = Plain(tmp_path / "volume")
    plain.course.rename(plain.root / "trash" / COURSE)
    assert codes(plain.root) == ["not-a-timestamp"]


def test_an_assignment_that_was_renamed_by_hand_is_no_finding(tmp_path: Path) -> None:
    plain = Plain(tmp_path / "volume")
    plain.assignment.rename(plain.assignment.with_name("problem set 1"))
    assert codes(plain.root) == []


def test_a_course_that_was_renamed_by_hand_is_well_once_its_file_says_so(tmp_path: Path) -> None:
    plain = Plain(tmp_path / "volume")
    course = plain.course.rename(plain.course.with_name("algebra"))
    assert codes(plain.root) == ["course-differs"]
    file = course / "course.yaml"
    file.write_text(file.read_text().replace(COURSE, "algebra"))
    assert codes(plain.root) == []


def test_a_student_that_was_renamed_by_hand_is_found_in_each_manifest(tmp_path: Path) -> None:
    plain = Plain(tmp_path / "volume")
    plain.submission.parent.rename(plain.submission.parent.with_name("ada"))
    assert codes(plain.root) == ["student-differs", "student-differs"]


@pytest.mark.parametrize("kind", ["course", "student"])
def test_a_cut_name_that_nothing_inside_bears_out_is_found(tmp_path: Path, kind: str) -> None:
    plain = Plain(tmp_path / "volume")
    folder = plain.course if kind == "course" else plain.submission.parent
    folder.rename(folder.with_name(folder_of("a" * 300)))
    assert set(codes(plain.root)) == {f"{kind}-differs"}


def test_a_manifest_without_names_is_found_and_survived(tmp_path: Path) -> None:
    plain = Plain(tmp_path / "volume")
    assignment = plain.assignment.rename(plain.assignment.with_name(folder_of("a" * 300)))
    file = assignment / "releases" / plain.release.name / "manifest.yaml"
    file.write_text(re.sub("assignment: .*", "assignment: ''", file.read_text()))
    file = assignment / "submissions" / STUDENT / plain.submission.name / "manifest.yaml"
    file.write_text(re.sub("student: .*\n", "", file.read_text()))
    assert codes(plain.root) == ["assignment-differs", "student-differs"]


@pytest.mark.parametrize("name", ["%41", "%2e", ".hidden", "a%", "%zz", "a%2f", "trailing ", "%FF", "%C3", "a%20b"])
def test_folders_to_which_no_name_leads_are_found(tmp_path: Path, name: str) -> None:
    plain = Plain(tmp_path / "volume")
    for folder in (plain.submission.parent, plain.assignment, plain.course):
        folder.rename(folder.with_name(name))
    assert codes(plain.root) == ["name-not-canonical"] * 3


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


@pytest.mark.parametrize("place", ["course", "assignment", "release", "submission", "feedback", "deletion"])
def test_a_folder_in_the_wrong_place_is_found(tmp_path: Path, place: str) -> None:
    plain = Plain(tmp_path / "volume")
    folder = getattr(plain, place) / "folder"
    folder.mkdir()
    (finding,) = verify_volume(plain.root)
    assert (finding.code, finding.path) == ("stray", str(folder.relative_to(plain.root)))


def test_feedback_in_a_release_is_found(tmp_path: Path) -> None:
    plain = Plain(tmp_path / "volume")
    shutil.copytree(plain.feedback.parent, plain.release / "feedback")
    assert codes(plain.root) == ["stray"]


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


def test_paths_of_which_one_lies_in_the_other(tmp_path: Path) -> None:
    plain = Plain(tmp_path / "volume")
    file = plain.release / "manifest.yaml"
    file.write_text(file.read_text() + "- path: data\n  size: 0\n  md5: x\n")
    assert codes(plain.root) == ["path-illegal"]


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


def test_what_nfs_keeps_of_removed_files_is_no_finding(tmp_path: Path) -> None:
    plain = Plain(tmp_path / "volume")
    (plain.course / ".nfs000000000001a2b3").touch()
    assert codes(plain.root) == []


def test_a_student_may_hand_in_what_has_such_a_name(tmp_path: Path) -> None:
    files = {".nfs000000000001a2b3": b"1", "d/.nfs00000001/.nfs00000002": b"2"}
    plain = Plain(tmp_path / "volume")
    later = write_submission(plain.course, (COURSE, ASSIGNMENT), STUDENT, "2020-02-01 00:00:00.000000 UTC", files)
    assert codes(plain.root) == []
    (later / "files/d/.nfs00000003").touch()
    assert codes(plain.root) == []
    (later / "files/.nfs000000000001a2b3").unlink()
    assert codes(plain.root) == ["file-missing"]


def test_a_later_layout_is_not_judged_by_the_rules_of_this_one(tmp_path: Path) -> None:
    plain = Plain(tmp_path / "volume")
    (plain.root / "ngshare.yaml").write_text("layout: 99\n")
    (plain.root / "unheard of").mkdir()
    assert codes(plain.root) == ["layout-newer"]


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
