"""`ngshare-fs user forget`: afterwards no file and no name on the volume says that the person was there."""

import json
import os
import shutil
import time
from pathlib import Path

import pytest

from ngshare_fs.store import Volume, course, journal, release, roster, submission
from ngshare_fs.store.format.course_file import Person
from ngshare_fs.store.journal import names
from ngshare_fs.store.renaming import forgetting
from ngshare_fs.store.renaming.forgetting import PLACEHOLDER, Search
from tests.durability.states import left_by_the_server, state_of
from tests.operators.killed import killed_at_each_step, quick_path
from tests.operators.running import Command, run
from tests.stores import hand_in, volume
from tests.verifying import codes, everything
from tests.volumes import (
    ASSIGNMENT,
    COURSE,
    DELETED,
    INSTRUCTOR,
    STUDENT,
    SUBMITTED,
    SUBMITTED_FILES,
    Plain,
    folder_of,
    write_course,
    write_deletion,
    write_submission,
)

__all__ = ["quick_path", "run", "volume"]

OTHER = "ada"


def traces(data: Path, name: str) -> list[str]:
    """The files that name somebody, by their path or in what they say."""
    return [
        str(path.relative_to(data))
        for path in data.rglob("*")
        if folder_of(name) in path.relative_to(data).parts or (path.is_file() and name.encode() in path.read_bytes())
    ]


def write_crowded_volume(root: Path) -> Plain:
    """A person in every place where there can be one: courses, the trash, the journal."""
    plain = Plain(root)
    names = (COURSE, ASSIGNMENT)
    course_file = plain.course / "course.yaml"
    course_file.write_text(f"course: {COURSE}\ninstructors:\n  {INSTRUCTOR}:\nstudents:\n  {STUDENT}:\n  {OTHER}:\n")
    write_submission(plain.course, names, OTHER, SUBMITTED, SUBMITTED_FILES)
    deleted = write_submission(plain.course, names, STUDENT, "2020-02-01 00:00:00.000000 UTC", SUBMITTED_FILES)
    said = {"kind": "submission", "course": COURSE, "assignment": ASSIGNMENT, "student": STUDENT}
    said |= {"submission": "2020-02-01 00:00:00.000000 UTC", "by": INSTRUCTOR, "timestamp": DELETED}
    deleted.rename(write_deletion(root, said, "00000001") / deleted.name)
    gone = write_course(root, "gone", [INSTRUCTOR], [STUDENT, OTHER])
    write_submission(gone, ("gone", ASSIGNMENT), STUDENT, SUBMITTED, SUBMITTED_FILES)
    shutil.copytree(plain.release.parent, gone / "assignments" / ASSIGNMENT / "releases")
    said = {"kind": "course", "course": "gone", "by": OTHER, "timestamp": DELETED}
    gone.rename(write_deletion(root, said, "00000002") / "gone")
    for place in (f"courses/{COURSE}", "courses/gone", "volume"):
        file = root / "journal" / place / "2020-01.5f3a9c01.jsonl"
        file.parent.mkdir(parents=True)
        lines = [
            {"time": SUBMITTED, "what": "submit", "by": name, "via": "api", "student": name, "detail": SUBMITTED}
            for name in (STUDENT, OTHER, INSTRUCTOR)
        ]
        lines.append({"time": SUBMITTED, "what": "x", "by": "root", "via": "command", "detail": f"from {STUDENT}, 2"})
        file.write_text("".join(json.dumps(line) + "\n" for line in lines))
        os.utime(file, (0, 0))
    assert codes(root) == []
    return plain


def test_no_trace_of_a_student_is_left(run: Command, tmp_path: Path) -> None:
    plain = write_crowded_volume(run.data)
    assert len(traces(run.data, STUDENT)) > 10
    others = len(traces(run.data, OTHER))
    document = run.done("user", "forget", STUDENT, "--yes", "--json", "--report", tmp_path / "report").document
    assert traces(run.data, STUDENT) == []
    assert len(traces(run.data, OTHER)) == others
    assert codes(run.data) == []
    assert left_by_the_server(run.data) == []
    assert plain.release.is_dir()
    assert json.loads((tmp_path / "report").read_text()) == document
    assert (tmp_path / "report").stat().st_mode & 0o777 == 0o600
    removed = [(each["what"], each["course"], each["count"]) for each in document["removed"]]
    assert sorted(removed) == [
        ("journal", "", 2),
        ("journal", "", 2),
        ("journal", "", 2),
        ("roster", "gone", 1),
        ("roster", COURSE, 1),
        ("submissions", "gone", 1),
        ("submissions", COURSE, 1),
        ("submissions", COURSE, 1),
    ]
    assert all(each["bytes"] for each in document["removed"] if each["what"] == "submissions")
    assert run.done("user", "forget", STUDENT).out == f"there is nothing of {STUDENT}\n"


def test_what_an_instructor_did_for_others_stays_without_the_name(run: Command) -> None:
    plain = write_crowded_volume(run.data)
    said = run.done("user", "forget", INSTRUCTOR, "--yes").out
    assert "removed 3 × the name on what belongs to others in math ps1\n" in said
    assert traces(run.data, INSTRUCTOR) == []
    assert codes(run.data) == []
    for tree in (plain.release, plain.feedback):
        assert f"by: {PLACEHOLDER}\n" in (tree / "manifest.yaml").read_text().replace("'", "").replace('"', "")
    assert PLACEHOLDER in (run.data / "trash" / "20200301T080000.000000Z-00000001" / "trash.yaml").read_text()
    opened = Volume.open(run.data)
    released = release.newest(opened, COURSE, ASSIGNMENT)
    assert released is not None
    with released:
        assert released.manifest.by == PLACEHOLDER
    opened.close()


def test_only_in_one_course(run: Command) -> None:
    plain = write_crowded_volume(run.data)
    run.done("user", "forget", STUDENT, "--yes", "--course", "gone")
    left = traces(run.data, STUDENT)
    assert not [path for path in left if "gone" in path]
    assert plain.submission.is_dir()
    assert f"courses/{COURSE}/course.yaml" in left


def test_a_dry_run_says_what_would_be_done_and_does_nothing(run: Command) -> None:
    write_crowded_volume(run.data)
    before = everything(run.data)
    said = run.done("user", "forget", STUDENT, "--dry-run").out.splitlines()
    assert "would remove 2 × handed in, with the feedback on it, in math ps1" in said
    assert all(line.startswith("would remove ") for line in said)
    document = run.done("user", "forget", STUDENT, "--dry-run", "--json").document
    assert (document["removed"], len(document["would_remove"])) == ([], 8)
    assert everything(run.data) == before


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        ([STUDENT], 1, "Remove for good what there is of lawrence: 3 submissions"),
        ([STUDENT, "--json"], 1, "say --yes. Nothing was changed."),
        (["", "--yes"], 2, "a name cannot be empty"),
        ([STUDENT, "--yes", "--report", "."], 2, ". is there already"),
        ([STUDENT, "--yes", "--report", "no/such/folder"], 1, "no/such/folder: No such file or directory"),
        ([PLACEHOLDER, "--yes"], 2, "(forgotten) is nobody's name"),
        ([STUDENT, "--yes", "--course", "nowhere"], 2, "there is no course 'nowhere'"),
    ],
)
def test_nothing_is_done_unasked(words: list[str], code: int, said: str, run: Command) -> None:
    write_crowded_volume(run.data)
    before = state_of(run.data)
    assert said in run.refused("user", "forget", *words, code=code)
    assert state_of(run.data) == before


def test_what_cannot_be_understood_is_named_and_the_rest_is_done(run: Command) -> None:
    plain = write_crowded_volume(run.data)
    (plain.release / "manifest.yaml").write_text("kind: [\n")
    (run.data / "trash" / "20200301T080000.000000Z-00000001" / "trash.yaml").write_text("kind: [\n")
    write_course(run.data, "broken").joinpath("course.yaml").write_text("students: [\n")
    ended = run("user", "forget", STUDENT, "--yes")
    assert ended.code == 1
    for place in ("courses/broken/course.yaml", "manifest.yaml", "trash.yaml"):
        assert f"{place} cannot be understood: nobody knows whether lawrence is named there" in ended.err
    assert not plain.submission.exists()


def test_a_report_names_what_is_no_utf8(run: Command, tmp_path: Path) -> None:
    plain = write_crowded_volume(run.data)
    stray = os.path.join(os.fsencode(plain.course / "assignments"), b"ps\xff", b"releases", b"20200130T103047.524219Z")
    os.makedirs(stray)
    ended = run("user", "forget", STUDENT, "--yes", "--json", "--report", tmp_path / "report.json")
    assert not plain.submission.exists()
    for text in (ended.out, (tmp_path / "report.json").read_text()):
        assert text.isascii()
        (place,) = [each for each in json.loads(text)["not_understood"] if "\udcff" in each]
        assert os.fsencode(place).endswith(b"ps\xff/releases/20200130T103047.524219Z/manifest.yaml")


def test_what_repair_has_set_aside_is_removed_where_it_was_of_the_person(run: Command) -> None:
    write_crowded_volume(run.data)
    for end, student in (("00000003", STUDENT), ("00000004", OTHER)):
        path = f"courses/{COURSE}/assignments/{ASSIGNMENT}/submissions/{student}/x"
        said = {"kind": "quarantine", "path": path, "finding": "stray", "by": "root", "timestamp": DELETED}
        write_deletion(run.data, said, end).joinpath("x").write_bytes(b"work")
    ended = run("user", "forget", STUDENT, "--yes")
    assert [path.name[-8:] for path in sorted((run.data / "trash").iterdir())] == ["00000002", "00000004", "0123abcd"]
    # Nobody knows what is in the other one: the operator has to look.
    assert "trash/20200301T080000.000000Z-00000004 cannot be understood" in ended.err


def test_a_journal_that_a_server_writes_to_loses_no_line(volume: Volume, monkeypatch: pytest.MonkeyPatch) -> None:
    roster.set_student(volume, "c", STUDENT, Person())
    event = journal.Event("submit", STUDENT, "api", "c", student=STUDENT)
    journal.record(volume, event)
    file = next(Path(volume.root, "journal/courses/c").iterdir())
    with file.open("a") as opened:  # as a server has it open, for a second
        removals = [each for each in Search(volume, STUDENT, []).removals() if each.what == forgetting.JOURNAL]
        assert [each.count for each in removals] == [1]
        sleep, written = time.sleep, list[int]()

        def and_a_late_line(seconds: float) -> None:
            if not written:
                written.append(opened.write('{"time": "late", "by": "ada"}\n'))
                opened.flush()
            sleep(seconds)

        monkeypatch.setattr(time, "sleep", and_a_late_line)
        removals[0].act()
    found = "".join(path.read_text() for path in file.parent.iterdir())
    assert STUDENT not in found
    assert '{"time": "late", "by": "ada"}\n' in found
    assert found.count(PLACEHOLDER) == 2


def test_names_are_replaced_only_where_they_are_the_name(volume: Volume, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(names, "OPEN_SECONDS", 0)  # no server runs
    long = "é" * 1200
    for detail in ("from a", "from ab, and a.", "aa"):
        journal.record(volume, journal.Event("x", "ab", "api", "c", student="a", detail=detail))
    journal.record(volume, journal.Event("x", (long[:999] + "…"), "api", "c"))
    journal.record(volume, journal.Event("submit", "zoë", "api", "c", student="zoë", detail=SUBMITTED))
    for name in ("a", long, SUBMITTED[8:10]):
        for removal in Search(volume, name, []).removals():
            removal.act()
    files = Path(volume.root, "journal/courses/c").iterdir()
    lines = [json.loads(line) for path in files for line in path.read_text().splitlines()]
    assert sorted((line["by"], line.get("student", ""), line.get("detail", "")) for line in lines) == [
        (PLACEHOLDER, "", ""),
        ("ab", PLACEHOLDER, "aa"),
        ("ab", PLACEHOLDER, f"from {PLACEHOLDER}"),
        ("ab", PLACEHOLDER, f"from ab, and {PLACEHOLDER}."),
        ("zoë", "zoë", SUBMITTED),
    ]


def test_a_torn_line_that_names_the_person_goes(volume: Volume, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(names, "OPEN_SECONDS", 0)  # no server runs
    journal.record(volume, journal.Event("x", "ab", "api", "c"))
    file = next(Path(volume.root, "journal/courses/c").iterdir())
    with file.open("a") as opened:
        opened.write('{"time": "2020-01-31 09:00:00.004711 UTC", "by": "lawrence')
    for removal in Search(volume, STUDENT, []).removals():
        removal.act()
    assert [path.read_text().count("\n") for path in file.parent.iterdir()] == [1]
    assert traces(Path(volume.root), STUDENT) == []


def test_what_is_handed_in_meanwhile_is_removed_too(volume: Volume, run: Command) -> None:
    hand_in(volume, STUDENT)
    removals = list(Search(volume, STUDENT, []).removals())
    hand_in(volume, STUDENT)
    for removal in removals:
        removal.act()
    assert submission.submissions_to(volume, "c", "a") == []
    assert course.exists(volume, "c")


@pytest.mark.parametrize("is_full", [False, pytest.param(True, marks=pytest.mark.long)])
def test_killed_at_any_step_the_same_command_finishes_it(is_full: bool, quick_path: Path) -> None:
    template, data = quick_path / "template", quick_path / "data"
    write_crowded_volume(template)

    def forget(volume: Volume) -> None:
        for removal in list(Search(volume, STUDENT, []).removals()):
            removal.act()

    steps = 0
    for step in killed_at_each_step(template, data, forget, is_full):
        steps = step
        assert codes(data) == []
        volume = Volume.open(data)
        forget(volume)
        volume.close()
        assert traces(data, STUDENT) == []
        assert codes(data) == []
        assert left_by_the_server(data) == []
    assert steps > 20
