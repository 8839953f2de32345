"""Moving in from what the released ngshare has stored: all of it, again and again, beside what is here already."""

import hashlib
import json
import os
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from ngshare_fs.store import Timestamp, Volume, assignment, feedback, release, roster, submission
from tests.operators.ngshare_content import LONG, ODD_COURSE
from tests.operators.old_ngshare import WRITTEN, OldNgshare, run
from tests.stores import upload
from tests.verifying import codes, everything

COURSE = "NBG 101"
ONE_FILE_THAT_IS_A_FOLDER_TOO = 1  # exit code


@pytest.fixture
def old(tmp_path: Path) -> OldNgshare:
    return OldNgshare(tmp_path)


def test_all_of_it_comes(old: OldNgshare) -> None:
    outcome = old.move(code=ONE_FILE_THAT_IS_A_FOLDER_TOO)
    assert outcome.new(COURSE) == (5, 4, 9, 3)
    assert outcome.new(ODD_COURSE) == (6, 2, 9, 1)
    assert outcome.course("empty")["is_new"]
    assert codes(old.data) == []
    volume = Volume.read_only(old.data)
    rows = old.sql(
        "SELECT s._id, c.id, a.id, student_id, timestamp FROM submissions s "
        "JOIN assignments a ON assignment_id = a._id JOIN courses c ON course_id = c._id WHERE a.id != 'odd'"
    )
    assert len(rows) == 16
    for key, course, name, student, moment in rows:
        with submission.collect(volume, course, name, student, Timestamp(f"{moment} UTC")) as tree:
            assert files_of(old, "submission", key) == {(file.path, file.md5) for file in tree.manifest.files}
            assert (tree.manifest.by, tree.manifest.student) == (student, student)
            for file in tree.manifest.files:
                with open(tree.open_file(file), "rb") as opened:
                    assert hashlib.md5(opened.read()).hexdigest() == file.md5
        given = feedback.newest(volume, course, name, student, Timestamp(f"{moment} UTC"))
        expected = files_of(old, "feedback", key)
        assert (given is not None) == bool(expected)
        if given is not None:
            with given:
                assert expected == {(file.path, file.md5) for file in given.manifest.files}
                assert given.manifest.by == "ngshare-import"
    assert len(submission.submissions_to(volume, ODD_COURSE, LONG)) == 5


def files_of(old: OldNgshare, kind: str, key: int) -> set[tuple[str, str]]:
    return set(
        old.sql(
            f"SELECT filename, checksum FROM files JOIN {kind}_files_assoc_table ON right_id = _id WHERE left_id = ?",
            str(key),
        )
    )


def test_people_come_with_what_is_known_of_them(old: OldNgshare) -> None:
    old.move()
    volume = Volume.read_only(old.data)
    people = roster.of(volume, COURSE)
    assert {name: person.first_name for name, person in people.instructors.items()} == {
        "kevin": "Kevin",
        "abigail": None,
    }
    assert people.students.keys() == {"lawrence", "ben", "007"}
    assert (people.students["ben"].first_name, people.students["007"].last_name) == ("", "null")
    assert roster.of(volume, "empty").instructors == {}


def test_releases_have_the_time_of_their_files_and_the_order_that_ngshare_lists(old: OldNgshare) -> None:
    """Copied files are newer than what was handed in; then the first submission says that the release was before it."""
    first = old.sql("SELECT min(timestamp) FROM submissions")[0][0]
    now = datetime.now().timestamp()
    for file in old.files.iterdir():
        os.utime(file, (now, now))
    assert old.move().course(COURSE)["releases"]["new"] == 4
    volume = Volume.read_only(old.data)
    assert assignment.assignments_of(volume, COURSE) == ["ps2", "ps1", "nothing in it", "odd"]
    newest = release.newest(volume, COURSE, "ps2")
    assert newest is not None
    with newest:
        assert newest.timestamp <= f"{first} UTC"
        assert newest.manifest.by == "ngshare-import"
    given = feedback.given_at(volume, COURSE, "ps2", "lawrence", Timestamp(f"{first} UTC"))
    assert given is not None
    assert given[:19] == datetime.fromtimestamp(now, timezone.utc).strftime("%Y-%m-%d %H:%M:%S")


def test_feedback_is_never_older_than_what_it_is_on(old: OldNgshare) -> None:
    first = Timestamp(old.sql("SELECT min(timestamp) FROM submissions")[0][0] + " UTC")
    old.move()
    volume = Volume.read_only(old.data)
    assert feedback.given_at(volume, COURSE, "ps2", "lawrence", first) == first
    newest = release.newest(volume, COURSE, "ps2")
    assert newest is not None
    with newest:
        written = datetime(1970, 1, 1) + timedelta(microseconds=WRITTEN // 1000)
        # The assignments that follow were written at the same time, and are listed after it.
        assert newest.timestamp == (written - timedelta(microseconds=3)).strftime("%Y-%m-%d %H:%M:%S.%f UTC")


def test_a_dry_run_says_the_same_and_changes_nothing(old: OldNgshare, tmp_path: Path) -> None:
    before = everything(tmp_path)
    foreseen = old.move("--dry-run", code=ONE_FILE_THAT_IS_A_FOLDER_TOO)
    assert everything(tmp_path) == before
    assert not old.data.exists()
    done = old.move()
    assert foreseen.document["courses"] == done.document["courses"]
    assert sorted(foreseen.problems("file-unusable")) == sorted(done.problems("file-unusable")) != []
    before = everything(tmp_path)
    assert old.move("--dry-run").new(COURSE) == (0, 0, 0, 0)
    assert everything(tmp_path) == before


def test_run_twice_it_changes_nothing(old: OldNgshare) -> None:
    old.move()
    before = everything(old.data / "courses"), everything(old.data / "journal")
    again = old.move(code=ONE_FILE_THAT_IS_A_FOLDER_TOO)
    assert (everything(old.data / "courses"), everything(old.data / "journal")) == before
    assert again.new(COURSE) == (0, 0, 0, 0)
    assert again.course(COURSE)["submissions"]["there"] == 9


def test_single_courses_come_alone(old: OldNgshare) -> None:
    assert [each["course"] for each in old.move("--course", "empty", code=0).document["courses"]] == ["empty"]
    assert old.move("--course", ODD_COURSE, "--course", "empty", code=0).new(ODD_COURSE) == (6, 2, 9, 1)
    assert not (old.data / "courses" / COURSE).exists()
    failed = old.move("--course", "NBG 102", code=2)
    assert "there is no course 'NBG 102', only 'NBG 101', " in failed.err


def test_what_was_deleted_in_ngshare_is_counted_and_stays_there(old: OldNgshare) -> None:
    outcome = old.move()
    assert outcome.document["files_left_behind"] == 4
    assert not any(b"deleted with" in content for content in old.trees().values())
    printed = run(*old.words).out
    assert "Belonging to nothing any more, as ngshare leaves it when something is deleted: 4 files (90 B)" in printed


def test_people_read_a_table(old: OldNgshare) -> None:
    lines = run(*old.words, "--dry-run", code=1).out.splitlines()
    table = lines[lines.index("Would be taken over:") + 1 :]
    assert [line.split("  ")[0] for line in table] == ["course", COURSE, ODD_COURSE, "empty", "1 problem, see above."]
    assert table[1].split()[2:] == ["5", "4", "9", "3", "4.2", "KiB", "0", "0"]
    assert f"file-unusable: {COURSE} / odd / ben / " in lines[2]


def test_the_journal_has_a_line_for_each_course(old: OldNgshare) -> None:
    old.move()
    files = (old.data / "journal").rglob("*.jsonl")
    lines = [json.loads(line) for file in files for line in file.read_text(encoding="utf-8").splitlines()]
    assert {line["course"] for line in lines} == {COURSE, ODD_COURSE, "empty"}
    (line,) = [line for line in lines if line["course"] == COURSE]
    assert (line["what"], line["via"]) == ("import", "command")
    assert line["detail"] == "from ngshare: 5 people, 4 releases, 9 submissions, 3 feedback"


def test_work_that_is_handed_in_here_meanwhile_stays(old: OldNgshare) -> None:
    old.move()
    volume = Volume.open(old.data)
    with upload(volume, p=b"later") as work:
        later = submission.submit(volume, COURSE, "ps2", "lawrence", work)
    roster.remove_student(volume, COURSE, "007")
    again = old.move()
    assert again.new(COURSE) == (1, 0, 0, 0), "who was taken off the roster here is in ngshare's"
    assert [each.timestamp for each in submission.submissions_by(volume, COURSE, "ps2", "lawrence")][-1] == later
    volume.close()
