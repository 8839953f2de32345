"""`ngshare-fs prune`: older submissions go to the trash, and never the newest, nor what has feedback or is of today."""

import os
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest

from ngshare_fs.store import Volume, feedback, roster, submission
from ngshare_fs.store.errors import SubmissionNotFound
from ngshare_fs.store.format import timestamp
from ngshare_fs.store.format.course_file import Person
from ngshare_fs.store.format.timestamp import Timestamp
from ngshare_fs.store.upkeep.pruning import prune, surplus_in
from ngshare_fs.store.writing.locks import Locks
from tests.operators.running import Command
from tests.stores import upload
from tests.verifying import codes, everything
from tests.volumes import (
    ASSIGNMENT,
    COURSE,
    INSTRUCTOR,
    STUDENT,
    SUBMITTED,
    Plain,
    folder_of_time,
    write_course,
    write_release,
    write_submission,
)

NAMES = (COURSE, ASSIGNMENT)
OLD = [f"2020-02-0{day} 00:00:00.000000 UTC" for day in range(1, 6)]


@pytest.fixture
def plain(tmp_path: Path) -> Plain:
    """With one submission that has feedback, and five later ones; of somebody else one long ago."""
    plain = Plain(tmp_path / "volume")
    for moment in OLD:
        write_submission(plain.course, NAMES, STUDENT, moment, {"f": b"1234"})
    write_submission(plain.course, NAMES, "ada", OLD[0], {"f": b"1"})
    return plain


@pytest.fixture
def command(plain: Plain, capsys: pytest.CaptureFixture[str]) -> Command:
    return Command(plain.root, capsys)


def rule(plain: Plain, text: str) -> None:
    file = plain.course / "course.yaml"
    file.write_text(file.read_text() + text)


def moments(plain: Plain, student: str = STUDENT) -> list[str]:
    return sorted(os.listdir(plain.assignment / "submissions" / student))


def folders(*moments: str) -> list[str]:
    return [folder_of_time(moment) for moment in moments]


def test_the_rule_in_the_course_s_file_counts(plain: Plain, command: Command) -> None:
    rule(plain, "retention: {submissions: 2}\n")
    other = write_course(plain.root, "other", [INSTRUCTOR])
    write_release(other, ("other", "a"), INSTRUCTOR, SUBMITTED, {})
    for moment in OLD:
        write_submission(other, ("other", "a"), "ada", moment, {})
    before = everything(plain.root)
    said = command("prune", "--dry-run")
    assert said.code == 0
    assert said.out.splitlines()[-1] == "Would move 3 submissions, 12 B, to the trash."
    assert everything(plain.root) == before
    assert "say --yes" in command("prune").err
    assert command("prune", "--yes").out == "Moved 3 submissions, 12 B, to the trash.\n"
    assert moments(plain) == folders(SUBMITTED, *OLD[3:])
    assert moments(plain, "ada") == folders(OLD[0])
    assert len(os.listdir(other / "assignments/a/submissions/ada")) == 5
    listed = command("trash", "list", COURSE, "--json").document["entries"]
    assert [each["submission"] for each in listed if each["kind"] == "submission"] == OLD[:3]
    assert command("prune", "--yes", "--json").document == {"dry_run": False, "bytes": 0, "submissions": []}
    for each in listed[1:]:
        assert command("trash", "restore", each["entry"]).code == 0
    assert moments(plain) == folders(SUBMITTED, *OLD)
    assert codes(plain.root) == []


def test_an_option_counts_whatever_the_rule_says_and_one_always_stays(plain: Plain, command: Command) -> None:
    rule(plain, "retention: {submissions: 5}\n")
    said = command("prune", COURSE, "--keep", "1", "--yes", "--json").document
    assert [each["timestamp"] for each in said["submissions"]] == OLD[:4]
    assert moments(plain) == folders(SUBMITTED, OLD[4])
    assert moments(plain, "ada") == folders(OLD[0])


def test_what_was_handed_in_within_a_day_stays(plain: Plain, command: Command) -> None:
    ages = [timedelta(hours=hours) for hours in (30, 23, 1, 0)]
    new = [timestamp.ago(age) for age in ages]
    for moment in new:
        write_submission(plain.course, NAMES, "max", moment, {"f": b"1"})
    command("prune", "--keep", "1", "--yes")
    assert moments(plain, "max") == folders(*new[1:])


def test_what_counts_at_the_due_date_stays(plain: Plain, command: Command) -> None:
    file = plain.assignment / "assignment.yaml"
    file.write_text("due: soon\n")
    assert command("prune", "--keep", "1", "--yes", "--json").document["submissions"] == [], "nobody can say what does"
    file.write_text(f"due: 2020-02-01 UTC\nextensions:\n  {STUDENT}: {{due: 2020-02-02 23:59:59 UTC}}\n")
    volume = Volume.open(plain.root)
    before = list(surplus_in(volume, COURSE, 1))
    assert [each.timestamp for each in before] == [OLD[0], OLD[2], OLD[3]]
    file.write_text("due: 2020-02-03 00:00 UTC\ngrace: 1h\n")
    assert [each.timestamp for each in before if prune(volume, each, "root")] == [OLD[0], OLD[3]], "as it is by then"
    volume.close()
    # The newest in time cannot be read: what it should have been may be in the one before.
    (plain.assignment / "submissions" / STUDENT / folder_of_time(OLD[2]) / "manifest.yaml").write_text("- x\n")
    assert command("prune", "--keep", "1", "--yes", "--json").document["submissions"] == []
    assert moments(plain) == folders(SUBMITTED, *OLD[1:3], OLD[4])


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((COURSE,), "'math' has no rule: give --keep N, or write `retention: {submissions: N}` into its course.yaml"),
        (("physics", "--keep", "1"), "there is no course 'physics'"),
        (("\udcff", "--keep", "1"), "there is no course"),
        (("--keep", "0"), "--keep: 0 is not between"),
        (("--keep", "all"), "--keep: 'all' is not a whole number"),
    ],
)
def test_wrong_words(words: tuple[str, ...], said: str, plain: Plain, command: Command) -> None:
    before = everything(plain.root / "courses")
    found = command("prune", *words, "--yes")
    assert found.code == 2
    assert said in found.err
    assert everything(plain.root / "courses") == before


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("retention: {submissions: 0}\n", "`submissions` has to be a number, 1 or more"),
        ("retention: {submissions: few}\n", "`submissions` has to be a number, 1 or more"),
        ("retention: {submissions: [1]}\n", "`submissions` has to be a single value"),
        ("retention: 5\n", "below `retention:`, `submissions:` may stand, indented"),
        ("quota: 5GiB\n", "below `quota:`, `course:` and `student:` may stand, indented"),
        ("quota: {course: much}\n", "'much' is not a size"),
        ("quota: {student: -1}\n", "'-1' is not a size"),
    ],
)
def test_a_rule_that_is_none_breaks_the_file_at_its_line(text: str, said: str, plain: Plain, command: Command) -> None:
    rule(plain, text)
    other = write_course(plain.root, "other", [INSTRUCTOR])
    write_release(other, ("other", "a"), INSTRUCTOR, SUBMITTED, {})
    for moment in OLD:
        write_submission(other, ("other", "a"), "ada", moment, {})
    found = command("prune", "--yes", "--keep", "1")
    assert found.code == 0
    assert len(moments(plain)) == 2
    assert "course-file-broken" in codes(plain.root)
    by_rule = command("prune", "--yes")
    assert by_rule.code == 1
    assert said in by_rule.err
    assert "course.yaml, line 6:" in by_rule.err


@pytest.mark.parametrize(
    "text", ["retentoin: {submissions: 1}\n", "retention: {submision: 1}\n", "quota: {studnet: 1}\n"]
)
def test_a_misspelt_rule_is_told_and_does_nothing(text: str, plain: Plain, command: Command) -> None:
    rule(plain, text)
    assert codes(plain.root) == ["key-misspelt"]
    assert command("prune", "--yes").out == "Moved 0 submissions, 0 B, to the trash.\n"


def test_rules_are_kept_by_what_servers_change(plain: Plain) -> None:
    rule(plain, "retention:\n  submissions: 5\n  because: of space\nquota:\n  course: 1GiB\n  student:\n")
    volume = Volume.open(plain.root)
    roster.set_student(volume, COURSE, "max", Person())
    assert roster.of(volume, COURSE).rules.keep == 5
    volume.close()
    text = (plain.course / "course.yaml").read_text()
    assert "retention:\n  submissions: '5'\n  because: of space\nquota:\n  course: 1GiB\n  student:\n" in text
    assert codes(plain.root) == []


def test_a_broken_manifest_stays_and_the_others_go(plain: Plain, command: Command) -> None:
    (plain.submission.with_name(folder_of_time(OLD[1])) / "manifest.yaml").write_text("kind: {")
    found = command("prune", "--keep", "1", "--yes")
    assert found.code == 1
    assert "manifest.yaml, line 2" in found.err
    assert moments(plain) == folders(SUBMITTED, OLD[1], OLD[4])


def test_feedback_that_is_given_at_the_last_moment_keeps_it(plain: Plain) -> None:
    volume = Volume.open(plain.root)
    first, second = list(surplus_in(volume, COURSE, 3))[:2]
    with upload(volume, f=b"well done") as given:
        feedback.give(volume, COURSE, ASSIGNMENT, STUDENT, first.timestamp, INSTRUCTOR, given)
    assert not prune(volume, first, "root")
    assert prune(volume, second, "root")
    with upload(volume, f=b"well done") as given, pytest.raises(SubmissionNotFound):
        feedback.give(volume, COURSE, ASSIGNMENT, STUDENT, second.timestamp, INSTRUCTOR, given)
    volume.close()
    assert folder_of_time(OLD[0]) in moments(plain)


def test_what_became_one_of_the_newest_stays(plain: Plain) -> None:
    volume = Volume.open(plain.root)
    (surplus,) = list(surplus_in(volume, COURSE, 4))
    submission.delete(volume, COURSE, ASSIGNMENT, STUDENT, Timestamp(OLD[4]), "kevin")
    submission.delete(volume, COURSE, ASSIGNMENT, STUDENT, Timestamp(OLD[3]), "kevin")
    assert not prune(volume, surplus, "root")
    volume.close()
    assert moments(plain) == folders(SUBMITTED, *OLD[:3])


def test_what_cannot_be_read_is_none_of_those_that_stay(plain: Plain, command: Command) -> None:
    trees = plain.assignment / "submissions" / STUDENT
    for moment in OLD[3:]:
        (trees / folder_of_time(moment) / "manifest.yaml").write_text("torn: [")
    command("prune", "--keep", "1", "--yes")
    assert moments(plain) == folders(SUBMITTED, *OLD[2:])


def test_what_stays_for_a_lock_is_said_and_the_rest_is_moved(
    plain: Plain, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ngshare_fs.store.volume.Locks", partial(Locks, timeout=0.02))
    volume = Volume.open(plain.root)
    place = plain.assignment / "submissions" / STUDENT / folder_of_time(OLD[1]) / "feedback"
    with volume.locks.hold("publish", str(place)[len(str(plain.root)) :]):
        said = command("prune", "--keep", "1", "--yes", "--json")
    volume.close()
    assert said.code == 1
    assert [each["timestamp"] for each in said.document["submissions"]] == [OLD[0], *OLD[2:4]]
    assert f"{STUDENT} / {OLD[1]}: stays where it is: somebody else held a lock of the volume for too long" in said.err
    assert moments(plain) == folders(SUBMITTED, OLD[1], OLD[4])
