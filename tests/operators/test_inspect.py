"""`ngshare-fs inspect` says what is on a volume and what it takes, without a look at the files."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.operators.running import Command
from tests.verifying import everything, removable, somebody_else_in
from tests.volumes import (
    ASSIGNMENT,
    COURSE,
    HOSTILE_NAMES,
    INSTRUCTOR,
    RELEASED,
    RELEASED_FILES,
    RETURNED,
    RETURNED_FILES,
    STUDENT,
    SUBMITTED,
    SUBMITTED_FILES,
    Plain,
    write_course,
    write_deletion,
    write_feedback,
    write_release,
    write_rich_volume,
    write_submission,
    write_withdrawal,
)

__all__ = ["removable"]


def size(files: Any) -> int:
    return sum(len(content) for content in files.values())


@pytest.fixture
def plain(tmp_path: Path) -> Plain:
    return Plain(tmp_path / "volume")


@pytest.fixture
def command(plain: Plain, capsys: pytest.CaptureFixture[str]) -> Command:
    return Command(plain.root, capsys)


@pytest.fixture
def open_to_all() -> Iterator[Plain]:
    """A volume that others may read: nobody else may enter what pytest makes."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        plain = Plain(Path(folder, "volume"))
        yield plain
        plain.course.chmod(0o755)


def test_everything_is_counted(plain: Plain, command: Command) -> None:
    write_submission(plain.course, (COURSE, ASSIGNMENT), "ada", "2020-02-01 00:00:00.000000 UTC", {"big": b"x" * 1000})
    write_release(plain.course, (COURSE, "ps2"), INSTRUCTOR, RELEASED, {})
    write_withdrawal(plain.course, (COURSE, "ps2"), INSTRUCTOR, SUBMITTED)
    said = command("inspect", "--json")
    assert said.code == 0
    (course,) = said.document["courses"]
    assert course["instructors"] == [INSTRUCTOR]
    assert course["students"] == [STUDENT]
    assert course["releases"] == {"count": 3, "files": 2, "bytes": size(RELEASED_FILES), "newest": SUBMITTED}
    assert course["submissions"]["bytes"] == size(SUBMITTED_FILES) + 1000
    assert course["feedback"] == {"count": 1, "files": 1, "bytes": size(RETURNED_FILES), "newest": RETURNED}
    assert course["bytes"] == size(RELEASED_FILES) + size(SUBMITTED_FILES) + 1000 + size(RETURNED_FILES)
    assert course["trash_bytes"] == said.document["trash_bytes"] == size(RELEASED_FILES)
    assert course["last_activity"] == RETURNED
    assert [(each["assignment"], each["is_withdrawn"]) for each in course["assignments"]] == [
        (ASSIGNMENT, False),
        ("ps2", True),
    ]
    assert [each["student"] for each in course["assignments"][0]["students"]] == ["ada", STUDENT]


def test_what_is_looked_at_stays_as_it_is_and_may_be_read_only(plain: Plain, command: Command) -> None:
    before = everything(plain.root)
    for words in ((), (COURSE,), (COURSE, ASSIGNMENT), (COURSE, ASSIGNMENT, STUDENT)):
        for more in ((), ("--tree",), ("--json",), ("--largest", "3")):
            assert command("inspect", *words, *more).code == 0
    assert everything(plain.root) == before


def test_a_backup_that_nobody_may_write_is_shown(open_to_all: Plain, capsys: pytest.CaptureFixture[str]) -> None:
    with somebody_else_in(open_to_all.root):
        assert Command(open_to_all.root, capsys)("inspect", "--largest", "1").code == 0


def test_the_tables_go_deeper_by_each_name(command: Command) -> None:
    assert COURSE in command("inspect").out
    course = command("inspect", COURSE).out
    assert f"Instructors: {INSTRUCTOR}" in course
    assert "in the trash" in course
    assert STUDENT in command("inspect", COURSE, ASSIGNMENT).out
    submissions = command("inspect", COURSE, ASSIGNMENT, STUDENT).out
    assert SUBMITTED in submissions
    assert RETURNED in submissions
    tree = command("inspect", COURSE, "--tree").out.splitlines()
    assert [line.split("  (")[0] for line in tree[:3]] == [
        COURSE,
        f"    {ASSIGNMENT}",
        f"        {STUDENT}: 1 submission, 1 piece of feedback",
    ]


def test_quotas_and_what_is_used_of_them_are_shown(
    plain: Plain, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "Quota" not in command("inspect", COURSE).out
    monkeypatch.setenv("NGSHARE_FS_QUOTA_VOLUME", "1MiB")
    monkeypatch.setenv("NGSHARE_FS_QUOTA_COURSE", "10KiB")
    assert "Together 49 B of 1.0 MiB." in command("inspect").out
    file = plain.course / "course.yaml"
    file.write_text(file.read_text() + "quota: {student: 5000}\n")
    shown = command("inspect", COURSE).out
    assert "Quota of the course: 10 KiB, of which 42 B are used" in shown
    assert "Quota of each student: 4.9 KiB; who handed in most has 18 B" in shown
    (course,) = command("inspect", "--json").document["courses"]
    assert (course["quota_bytes"], course["quota_of_student_bytes"]) == (10240, 5000)
    monkeypatch.setenv("NGSHARE_FS_QUOTA_COURSE", "much")
    assert "NGSHARE_FS_QUOTA_COURSE: 'much' is not a size" in command("inspect").err


def test_the_largest_come_first(plain: Plain, command: Command) -> None:
    other = write_course(plain.root, "other", [INSTRUCTOR])
    write_release(other, ("other", "a"), INSTRUCTOR, RELEASED, {"large/data.csv": b"x" * 5000, "small": b"1"})
    tree = write_submission(other, ("other", "a"), "ada", SUBMITTED, {"work": b"x" * 3000})
    write_feedback(tree, ("other", "a"), "ada", SUBMITTED, INSTRUCTOR, RETURNED, {"report.html": b"x" * 4000})
    files = command("inspect", "--json", "--largest", "3").document["largest_files"]
    assert [(each["bytes"], each["path"], each["kind"]) for each in files] == [
        (5000, "large/data.csv", "release"),
        (4000, "report.html", "feedback"),
        (3000, "work", "submission"),
    ]
    text = command("inspect", "--largest", "1").out
    assert text.index("The largest courses") < text.index("The largest files")
    assert "ada" in text
    below = command("inspect", COURSE, ASSIGNMENT, STUDENT, "--json", "--largest", "9").document["largest_files"]
    assert {each["path"] for each in below} == {*SUBMITTED_FILES, *RETURNED_FILES}


def test_names_of_all_sorts_are_counted_and_break_no_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = Command(write_rich_volume(tmp_path / "rich"), capsys)
    gone = "x" * 300
    names = {course["course"] for course in command("inspect", "--json").document["courses"]}
    assert names == {*HOSTILE_NAMES, COURSE, "NBG 101", "nobody yet"} - {gone}
    said = command("inspect", "NBG 101", ASSIGNMENT, "--json")
    assert said.code == 0
    (course,) = said.document["courses"]
    students = {each["student"] for each in course["assignments"][0]["students"]}
    assert students == {*HOSTILE_NAMES, STUDENT, "left the course"}
    shown = command("inspect", "NBG 101", ASSIGNMENT, "--tree").out
    assert all(line.isprintable() for line in shown.splitlines())


@pytest.mark.parametrize(
    ("hurt", "said"),
    [
        (lambda plain: (plain.course / "course.yaml").write_text("course: [\n"), "courses/math/course.yaml, line"),
        (lambda plain: (plain.course / "course.yaml").unlink(), "courses/math/course.yaml: No such file"),
        (lambda plain: (plain.submission / "manifest.yaml").write_text("kind: {\n"), "manifest.yaml, line"),
        (lambda plain: (plain.submission / "manifest.yaml").unlink(), "the manifest is missing"),
        (lambda plain: (plain.release / "manifest.yaml").chmod(0), "cannot be read: Permission denied"),
        (lambda plain: (plain.assignment / "submissions").chmod(0), "cannot be read: Permission denied"),
        (lambda plain: (plain.assignment / "releases").chmod(0), "cannot be read: Permission denied"),
        (lambda plain: plain.course.chmod(0), "courses/math/course.yaml: cannot be read: Permission denied"),
    ],
)
def test_a_broken_course_is_named_and_the_rest_is_shown(
    hurt: Any, said: str, open_to_all: Plain, capsys: pytest.CaptureFixture[str]
) -> None:
    plain = open_to_all
    other = write_course(plain.root, "other", [INSTRUCTOR])
    write_release(other, ("other", "a"), INSTRUCTOR, RELEASED, {"f": b"1234"})
    hurt(plain)
    with somebody_else_in(plain.root):
        found = Command(plain.root, capsys)("inspect", "--json")
    assert found.code == 1
    assert f"{COURSE}: unreadable: " in found.err
    assert said in found.err
    by_name = {course["course"]: course for course in found.document["courses"]}
    assert by_name["other"]["bytes"] == 4
    assert by_name["other"]["problems"] == []
    assert by_name[COURSE]["problems"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("Maht",), "'Maht': there is no course of that name; did you mean 'math'?"),
        (("physics",), "'physics': there is no course of that name\n"),
        ((COURSE, "PS1"), "there is no assignment of that name; did you mean 'ps1'?"),
        ((COURSE, ASSIGNMENT, "lawrance"), "nobody of that name handed in there; did you mean 'lawrence'?"),
        (("--largest", "0"), "--largest: 0 is not between 1 and 10000"),
        (("--largest", "many"), "--largest: 'many' is not a whole number"),
    ],
)
def test_a_name_that_leads_nowhere_is_said_with_those_near_it(
    words: tuple[str, ...], said: str, command: Command
) -> None:
    found = command("inspect", *words)
    assert found.code == 2
    assert said in found.err


def test_the_trash_counts_where_nobody_can_say_what_it_was(plain: Plain, command: Command) -> None:
    said = {"kind": "course", "course": "gone", "by": "root", "timestamp": SUBMITTED}
    entry = write_deletion(plain.root, said, "00000001")
    shutil.copytree(plain.course, entry / "gone")
    (entry / "trash.yaml").unlink()
    assert command("inspect", "--json").document["trash_bytes"] > size(RELEASED_FILES) + size(SUBMITTED_FILES)


def test_sizes_are_of_manifests_as_servers_and_people_write_them(plain: Plain, command: Command) -> None:
    manifest = plain.release / "manifest.yaml"
    content = manifest.read_text()
    assert command("inspect", "--json").document["courses"][0]["releases"]["bytes"] == size(RELEASED_FILES)
    in_flow_style = (
        content[: content.index("files:")] + "files: [{path: a, size: 7, md5: x}, {md5: y, size: 5, path: b}]\n"
    )
    manifest.write_text(in_flow_style)
    assert command("inspect", "--json").document["courses"][0]["releases"]["bytes"] == 12
    manifest.write_text(content.replace("size: ", "size: 1"))
    assert command("inspect", "--json").document["courses"][0]["releases"]["files"] == 2
