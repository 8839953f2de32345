"""Files that are missing or damaged, rows that mean nothing, courses that are here already: named, and never lost."""

import fnmatch
import hashlib
import os
from pathlib import Path

import pytest

from ngshare_fs.store import Person, Timestamp, Volume, course, feedback, release, roster, submission
from ngshare_fs.transfer.foreign_tree import PIECE_BYTES, SMALL_BYTES
from tests.operators.ngshare_content import ODD_COURSE
from tests.operators.old_ngshare import OldNgshare
from tests.stores import upload
from tests.verifying import codes, everything

COURSE = "NBG 101"


@pytest.fixture
def old(tmp_path: Path) -> OldNgshare:
    """Without the one submission of which a file is a folder, too."""
    old = OldNgshare(tmp_path)
    old.sql("DELETE FROM submissions WHERE student_id = 'ben' AND assignment_id = (SELECT max(_id) FROM assignments)")
    return old


def first_of(old: OldNgshare, student: str) -> Timestamp:
    return Timestamp(old.sql("SELECT min(timestamp) FROM submissions WHERE student_id = ?", student)[0][0] + " UTC")


def remove(file: Path) -> None:
    file.unlink()


def cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-1])


def make_a_link(file: Path) -> None:
    file.rename(file.with_name("elsewhere"))
    file.symlink_to(file.with_name("elsewhere"))


def make_a_pipe(file: Path) -> None:
    file.unlink()
    os.mkfifo(file)


@pytest.mark.parametrize("damage", [remove, cut, make_a_link, make_a_pipe])
def test_work_waits_for_a_file_that_is_missing_or_damaged(old: OldNgshare, damage, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    file = old.stored_as("ü/ö.bin")
    content = file.read_bytes()
    damage(file)
    outcome = old.move(code=1)
    moment = first_of(old, "ben")
    assert outcome.problems("file-unusable") == [f"{COURSE} / ps2 / ben / {moment} / ü/ö.bin"]
    assert outcome.problems("work-left-out") == [f"{COURSE} / ps2 / ben / {moment}"], "the feedback on it"
    assert (outcome.course(COURSE)["submissions"]["left_out"], outcome.course(COURSE)["feedback"]["left_out"]) == (1, 1)
    assert outcome.new(COURSE) == (5, 4, 7, 2), "all the rest is here"
    assert codes(old.data) == []

    file.unlink(missing_ok=True)
    file.write_bytes(content)
    assert old.move(code=0).new(COURSE) == (0, 0, 1, 1)


def test_what_will_not_be_found_is_given_up_where_somebody_says_so(old: OldNgshare) -> None:
    old.stored_as("ü/ö.bin").unlink()
    assert old.move("--incomplete", code=1).new(COURSE) == (5, 4, 8, 3)
    with submission.collect(Volume.read_only(old.data), COURSE, "ps2", "ben", first_of(old, "ben")) as tree:
        assert [file.path for file in tree.manifest.files] == ["empty"]
    again = old.move("--incomplete", code=1)
    assert again.new(COURSE) == (0, 0, 0, 0)
    assert len(again.problems("file-unusable")) == 1, "it is still missing"


def test_a_release_comes_without_what_is_missing(old: OldNgshare) -> None:
    """Else what was handed in would have no place."""
    missing = old.stored_as("data/a table.csv", "assignment")
    missing.unlink()
    outcome = old.move(code=1)
    assert outcome.problems("file-unusable") == [f"{COURSE} / ps2 / data/a table.csv"]
    assert outcome.new(COURSE) == (5, 4, 8, 3)
    assert old.move(code=1).new(COURSE) == (0, 0, 0, 0)


def test_large_files_come_as_they_are(old: OldNgshare) -> None:
    """What is large, and many small files, are not kept in memory."""
    sizes = [0, 1, SMALL_BYTES, SMALL_BYTES + 1, 3 * PIECE_BYTES, PIECE_BYTES, *(SMALL_BYTES - 1 for _ in range(12)), 7]
    for number, size in enumerate(sizes):
        content = os.urandom(size)
        (old.files / f"large-{number}").write_bytes(content)
        old.sql(
            "INSERT INTO files (_id, filename, checksum, size, actual_name) VALUES (?, ?, ?, ?, ?)",
            1000 + number, f"large/{number}", hashlib.md5(content).hexdigest(), size, f"large-{number}",
        )  # fmt: skip
        old.sql("INSERT INTO submission_files_assoc_table VALUES ('1', ?)", 1000 + number)
    old.move(code=0)
    with submission.collect(Volume.read_only(old.data), COURSE, "ps2", "lawrence", first_of(old, "lawrence")) as tree:
        assert [file.size for file in tree.manifest.files][-len(sizes) :] == sizes
    assert codes(old.data) == []


def test_a_folder_of_other_files_is_no_storage(old: OldNgshare) -> None:
    for file in old.files.iterdir():
        file.rename(file.with_suffix(".moved"))
    failed = old.move(code=2)
    assert "none of the first " in failed.err
    assert "name the folder of ngshare's --storage" in failed.err
    assert not old.data.exists()


ONE_FILE = "(SELECT min(right_id) FROM submission_files_assoc_table WHERE left_id = '%d')"
MEANS_NOTHING = [
    ("UPDATE courses SET id = NULL WHERE id = 'empty'", "name-unusable", "(no name)"),
    ("INSERT INTO courses (id) VALUES ('')", "name-unusable", "(no name)"),
    ("INSERT INTO courses (id) VALUES (CAST(x'ff41' AS TEXT))", "name-unusable", "\udcffA"),
    ("UPDATE assignments SET id = NULL WHERE id = 'ps1'", "name-unusable", f"{COURSE} / (no name)"),
    ("INSERT INTO assignments (id, course_id) VALUES ('ps2', 1)", "assignment-twice", f"{COURSE} / ps2"),
    (
        "INSERT INTO submissions (assignment_id, timestamp) VALUES (1, '2020-01-01 00:00:00.000000')",
        "name-unusable", f"{COURSE} / ps2 / (no name) / 2020-01-01 00:00:00.000000",
    ),
    ("UPDATE submissions SET timestamp = NULL WHERE _id = 3", "name-unusable", "* / lawrence / (no name)"),
    ("UPDATE submissions SET timestamp = 'now' WHERE _id = 6", "name-unusable", f"{COURSE} / ps2 / left / now"),
    ("UPDATE submissions SET timestamp = 12 WHERE _id = 7", "name-unusable", f"{COURSE} / nothing in it / ben / 12"),
    (
        "INSERT INTO submissions (assignment_id, timestamp, student_id) "
        "SELECT assignment_id, timestamp, student_id FROM submissions WHERE _id = 2",
        "submission-twice", f"{COURSE} / ps2 / lawrence / *",
    ),
    ("UPDATE student_assoc_table SET left_id = '' WHERE left_id = '007'", "name-unusable", f"{COURSE} / (no name)"),
    ("UPDATE files SET filename = '../../x' WHERE filename = 'b.html'", "file-unusable", "* / ben / * / ../../x"),
    ("UPDATE files SET filename = NULL WHERE filename = 'by a teacher'", "file-unusable", "* / kevin / * / "),
    (
        f"UPDATE files SET actual_name = '../ngshare.db' WHERE _id = {ONE_FILE % 1}",
        "file-unusable", "* / lawrence / * / ps1.ipynb",
    ),
    (
        f"UPDATE files SET actual_name = NULL WHERE _id = {ONE_FILE % 2}",
        "file-unusable", "* / lawrence / * / ps1.ipynb",
    ),
]  # fmt: skip


def test_rows_that_mean_nothing_here_are_named(old: OldNgshare) -> None:
    for statement, _, _ in MEANS_NOTHING:
        old.sql(statement)
    outcome = old.move(code=1)
    for statement, code, place in MEANS_NOTHING:
        assert fnmatch.filter(outcome.problems(code), place), (statement, outcome.document["problems"])
    assert outcome.new(ODD_COURSE) == (6, 2, 9, 1)
    assert codes(old.data) == []
    assert old.move(code=1).new(COURSE) == (0, 0, 0, 0)


ODD_AND_HARMLESS = [
    "UPDATE files SET size = NULL",
    "UPDATE files SET checksum = upper(checksum)",
    "UPDATE files SET checksum = NULL WHERE _id % 2",
    "UPDATE instructor_assoc_table SET first_name = NULL, last_name = CAST(x'ff' AS TEXT), email = x'4100'",
    "UPDATE submissions SET student_id = 'somebody else' WHERE student_id = 'kevin'",
    "INSERT INTO users VALUES ('nobody''s')",
    "PRAGMA journal_mode = WAL",
]


@pytest.mark.parametrize(
    "more", ["DROP TABLE alembic_version", "UPDATE alembic_version SET version_num = 'aa00db20c10a'"]
)
def test_what_is_odd_and_harmless_comes(old: OldNgshare, more: str) -> None:
    for statement in (*ODD_AND_HARMLESS, more):
        old.sql(statement)
    assert old.move(code=0).new(COURSE) == (5, 4, 8, 3)
    assert codes(old.data) == []
    assert old.move(code=0).new(COURSE) == (0, 0, 0, 0)


def test_another_course_of_the_same_name_is_left_alone(old: OldNgshare) -> None:
    volume = Volume.open(old.data)
    course.create(volume, COURSE, ["somebody"])
    with upload(volume, p=b"another ps2") as released:
        release.release(volume, COURSE, "ps2", "somebody", released)
    before = everything(old.data / "courses" / COURSE)
    outcome = old.move(code=1)
    assert outcome.problems("course-taken") == [COURSE]
    assert everything(old.data / "courses" / COURSE) == before
    assert outcome.new(ODD_COURSE) == (6, 2, 9, 1), "the others come"
    volume.close()


def test_a_course_that_was_made_for_it_gets_what_it_lacks(old: OldNgshare) -> None:
    volume = Volume.open(old.data)
    course.create(volume, COURSE, ["kevin", "new teacher"])
    roster.set_student(volume, COURSE, "abigail", Person("Abigail"))
    outcome = old.move(code=0)
    assert outcome.new(COURSE) == (3, 4, 8, 3)
    assert outcome.problems("person-differs") == [f"{COURSE} / abigail", f"{COURSE} / kevin"]
    people = roster.of(volume, COURSE)
    assert people.instructors.keys() == {"kevin", "new teacher"}
    assert people.students["abigail"] == Person("Abigail"), "whoever is here stays as they are"
    volume.close()


def test_what_is_here_in_its_place_stays(old: OldNgshare) -> None:
    old.move(code=0)
    first = first_of(old, "lawrence")
    volume = Volume.open(old.data)
    for kind, path in (("submission", "ps1.ipynb"), ("assignment", "data/a table.csv"), ("feedback", "b.html")):
        file = old.stored_as(path, kind)
        old.sql("UPDATE files SET checksum = '900150983cd24fb0d6963f7d28e17f72' WHERE actual_name = ?", file.name)
        file.write_bytes(b"abc")
    before = everything(old.data / "courses")
    outcome = old.move(code=1)
    assert outcome.problems("submission-differs") == [f"{COURSE} / ps2 / lawrence / {first}"]
    assert outcome.problems("release-differs") == [f"{COURSE} / ps2"]
    assert outcome.problems("feedback-differs") == [f"{COURSE} / ps2 / ben / {first_of(old, 'ben')}"]
    assert everything(old.data / "courses") == before
    with upload(volume, new=b"given here") as given:
        feedback.give(volume, COURSE, "ps2", "lawrence", first, "kevin", given)
    newest = feedback.given_at(volume, COURSE, "ps2", "lawrence", first)
    old.move(code=1)
    assert feedback.given_at(volume, COURSE, "ps2", "lawrence", first) == newest
    volume.close()


def test_a_release_that_was_taken_back_here_stays_taken_back(old: OldNgshare) -> None:
    old.move(code=0)
    volume = Volume.open(old.data)
    release.withdraw(volume, COURSE, "ps2", "kevin")
    assert old.move(code=0).new(COURSE) == (0, 0, 0, 0)
    assert not release.is_open(volume, COURSE, "ps2")
    volume.close()


def test_a_broken_course_file_keeps_its_course_alone_away(old: OldNgshare) -> None:
    old.move(code=0)
    file = old.data / "courses" / COURSE / "course.yaml"
    file.write_text("course: [\n")
    outcome = old.move(code=1)
    assert outcome.problems("course-broken") == [COURSE]
    assert file.read_text() == "course: [\n"
