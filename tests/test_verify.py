"""Every finding of `verify` has a name, a damaged volume of that name, and a row in the documentation."""

import importlib
import pkgutil
import shutil
from pathlib import Path

import pytest

from ngshare_fs.command.main import main
from ngshare_fs.store.checking.findings import FINDINGS
from ngshare_fs.store.checking.verify import verify_volume
from tests import damaged_volumes
from tests.conftest import Exchange
from tests.trees import tree
from tests.verifying import codes, everything, found_in, removable, somebody_else_in
from tests.volumes import (
    ASSIGNMENT,
    COURSE,
    STUDENT,
    Plain,
    folder_of,
    write_rich_volume,
    write_submission,
)

__all__ = ["removable"]

CODES = sorted(module.name.replace("_", "-") for module in pkgutil.iter_modules(damaged_volumes.__path__))


def damaged(root: Path, code: str) -> str:
    """Make the damaged volume of that name; gives the path at which it is damaged, relative to it."""
    module = importlib.import_module(f"tests.damaged_volumes.{code.replace('-', '_')}")
    return str(module.damage(Plain(root)).relative_to(root))


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
        assert main(["verify", "--data", "."]) == (0 if FINDINGS[code].is_note else 1)
    output = capsys.readouterr().out.splitlines()
    assert output[1:] == (["no findings"] if FINDINGS[code].is_note else [])
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


@pytest.mark.parametrize("name", ["%41", "%2e", ".hidden", "a%", "%zz", "a%2f", "trailing ", "%FF", "%C3", "a%20b"])
def test_folders_to_which_no_name_leads_are_found(tmp_path: Path, name: str) -> None:
    plain = Plain(tmp_path / "volume")
    for folder in (plain.submission.parent, plain.assignment, plain.course):
        folder.rename(folder.with_name(name))
    assert codes(plain.root) == ["name-not-canonical"] * 3


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


def test_paths_of_which_one_lies_in_the_other(tmp_path: Path) -> None:
    plain = Plain(tmp_path / "volume")
    file = plain.release / "manifest.yaml"
    file.write_text(file.read_text() + "- path: data\n  size: 0\n  md5: x\n")
    assert codes(plain.root) == ["path-illegal"]


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
