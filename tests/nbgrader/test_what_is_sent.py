"""What `submit` and `release_assignment` send: all that was meant, under its names, or nothing and the reason why."""

import hashlib
import json
import os
import re
import shutil
from base64 import b64encode
from pathlib import Path
from urllib.parse import quote
from urllib.request import urlopen

import pytest

from ngshare_fs.exchange.folders.origin import ORIGIN, Origin, read_origin, write_origin
from ngshare_fs.exchange.folders.submission_cache import SubmissionCache
from tests.nbgrader.conftest import ASSIGNMENT, COURSE, NOTEBOOK, School

pytestmark = pytest.mark.others

NFC, NFD = "\u00dcbung.ipynb", "U\u0308bung.ipynb"


def handed_in(school: School) -> list[set[str]]:
    """The paths of each of max's submissions, oldest first."""
    return [
        {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
        for folder in school.stored("submissions/max/*/files")
    ]


def released(school: School) -> set[str]:
    """The paths of the newest release."""
    folder = school.stored("releases/*/files")[-1]
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def work(school: School) -> Path:
    """Max's folder, as it was fetched."""
    school.teacher.run("release_assignment", ASSIGNMENT)
    school.max.run("fetch_assignment", ASSIGNMENT)
    return school.max.home / ASSIGNMENT


def test_empty_work_is_not_handed_in(school: School, work: Path) -> None:
    shutil.rmtree(work)
    (work / "feedback" / "2020-01-01 00:00:00.000000 UTC").mkdir(parents=True)
    said = school.max.run("submit", ASSIGNMENT, fails=True)
    assert "Your work was NOT handed in. There is no work in" in said
    assert "excluded file 'feedback'" in said
    shutil.rmtree(work / "feedback")
    assert "(it is empty)" in school.max.run("submit", ASSIGNMENT, fails=True)
    assert handed_in(school) == []
    # A student may have thrown a notebook away on purpose: as nbgrader has it, a warning, but for `strict`.
    (work / "own.txt").touch()
    assert "problem 1.ipynb: MISSING" in school.max.run("submit", ASSIGNMENT, "--strict", fails=True)
    assert "problem 1.ipynb: MISSING" in school.max.run("submit", ASSIGNMENT)
    assert handed_in(school) == [{"own.txt"}]


@pytest.mark.parametrize(
    ("option", "why"),
    [
        ("--CourseDirectory.max_file_size=1", "file too large 'problem 1.ipynb' (see config option"),
        ("--CourseDirectory.ignore=['prob*']", "excluded file 'problem 1.ipynb' (see config option"),
        ("--CourseDirectory.include=['*.csv']", "non included file 'problem 1.ipynb' (see config option"),
        ("--CourseDirectory.max_file_size=2", "link that leads nowhere 'problem 1.ipynb' (it holds no work)"),
    ],
)
def test_a_notebook_that_is_left_out_on_the_way_is_a_failure(school: School, work: Path, option: str, why: str) -> None:
    notebook = work / "problem 1.ipynb"
    notebook.write_text(NOTEBOOK + " " * 1000)
    if "nowhere" in why:
        notebook.unlink()
        notebook.symlink_to("not mounted")
    said = school.max.run("submit", ASSIGNMENT, option, fails=True)
    assert "Your work was NOT handed in" in said
    assert why in said
    assert handed_in(school) == []
    if "large" in why:
        (school.teacher.home / "release" / ASSIGNMENT / "problem 1.ipynb").write_text(NOTEBOOK + " " * 1000)
        said = school.teacher.run("release_assignment", ASSIGNMENT, "--force", option, fails=True)
        assert "students would not get what is left out" in said
        assert why in said
        assert len(school.stored("releases/*")) == 1


def test_what_is_compared_with_the_release_is_what_is_sent(school: School, work: Path) -> None:
    checkpoints = work / ".ipynb_checkpoints"
    checkpoints.mkdir()
    (checkpoints / "problem 1-checkpoint.ipynb").write_text(NOTEBOOK)
    assert "EXTRA" not in school.max.run("submit", ASSIGNMENT)
    (work / "own.ipynb").write_text(NOTEBOOK)
    said = school.max.run("submit", ASSIGNMENT, "--strict")
    assert "own.ipynb: EXTRA" in said
    assert "checkpoint" not in said


def test_what_is_never_fetched_is_not_missed(school: School) -> None:
    """Another program has released the notebook editor's own copies; the student's editor makes such a copy, too."""
    copy = ".ipynb_checkpoints/problem 1-checkpoint.ipynb"
    content = b64encode(NOTEBOOK.encode()).decode()
    files = [{"path": path, "content": content} for path in ("problem 1.ipynb", copy)]
    url = f"{school.server.url}assignment/{quote(COURSE)}/{quote(ASSIGNMENT)}?user=teacher"
    with urlopen(url, f"files={quote(json.dumps(files))}".encode()):
        pass
    school.max.run("fetch_assignment", ASSIGNMENT)
    work = school.max.home / ASSIGNMENT
    assert not (work / copy).exists()
    assert "MISSING" not in school.max.run("submit", ASSIGNMENT, "--strict")
    (work / copy).parent.mkdir()
    (work / copy).write_text(NOTEBOOK)
    assert "MISSING" not in school.max.run("submit", ASSIGNMENT, "--strict")


def test_an_assignment_without_notebooks_is_handed_in_and_one_without_files_released(school: School) -> None:
    folder = school.teacher.home / "release" / ASSIGNMENT
    (folder / "problem 1.ipynb").unlink()
    school.teacher.run("release_assignment", ASSIGNMENT)
    work = school.max.home / ASSIGNMENT
    work.mkdir()
    (work / "essay.txt").write_text("…")
    assert "MISSING" not in school.max.run("submit", ASSIGNMENT, "--strict")
    shutil.rmtree(folder)
    folder.mkdir()
    school.teacher.run("release_assignment", ASSIGNMENT, "--force")
    assert released(school) == set()
    school.max.run("submit", ASSIGNMENT, "--strict")
    # Nothing at all where something lies there is a mistake.
    (folder / "data.csv").write_bytes(b"x" * 2000)
    said = school.teacher.run(
        "release_assignment", ASSIGNMENT, "--force", "--CourseDirectory.max_file_size=1", fails=True
    )
    assert "file too large 'data.csv'" in said


def test_special_files_and_links_stop_nobody_and_are_named(school: School, work: Path) -> None:
    for folder in (work, school.teacher.home / "release" / ASSIGNMENT):
        (folder / ".#problem 1.ipynb").symlink_to("max@host.12:34")
        os.mkfifo(folder / "pipe")
        (folder / "zero").symlink_to("/dev/zero")
        (folder / "loop").symlink_to(".")
        (folder / "linked").symlink_to("data")
    school.teacher.run("release_assignment", ASSIGNMENT, "--force")
    paths = {"problem 1.ipynb", "data/größe m².csv", "linked/größe m².csv"}
    assert released(school) == paths
    said = school.max.run("submit", ASSIGNMENT)
    assert handed_in(school) == [paths]
    for name in (".#problem 1.ipynb", "pipe", "zero", "loop"):
        assert re.search(rf"WARNING\] Ignoring .* '{re.escape(str(work / name))}' \(", said), said
    for folder, person, command in (
        (work, school.max, ("submit", ASSIGNMENT)),
        (school.teacher.home / "release" / ASSIGNMENT, school.teacher, ("release_assignment", ASSIGNMENT, "--force")),
    ):
        (folder / "outside").symlink_to("/etc")
        (folder / os.fsdecode(b"\xff")).touch()
        said = person.run(*command, fails=True)
        assert "outside is a link to /etc, outside of the folder" in said
        assert r"\udcff is no UTF-8 text" in said
    assert len(handed_in(school)) == 1
    assert len(school.stored("releases/*")) == 2


def test_linked_work_counts(school: School, work: Path) -> None:
    (work / "data" / "large").write_bytes(b"x" * 2000)
    (work / "again").symlink_to("data")
    school.max.run("submit", ASSIGNMENT, "--CourseDirectory.max_dir_size=5")
    said = school.max.run("submit", ASSIGNMENT, "--CourseDirectory.max_dir_size=3", fails=True)
    assert "Directory size is too big" in said
    # What is not sent does not count.
    (work / "feedback").mkdir()
    (work / "feedback" / "huge.html").write_bytes(b"x" * 10_000)
    school.max.run("submit", ASSIGNMENT, "--CourseDirectory.max_dir_size=5")


def test_names_from_a_mac_are_sent_as_they_were_released(school: School) -> None:
    (school.teacher.home / "release" / ASSIGNMENT / NFC).write_text(NOTEBOOK)
    school.teacher.run("release_assignment", ASSIGNMENT)
    work = school.max.home / ASSIGNMENT
    work.mkdir()
    for name in (NFD, "problem 1.ipynb"):
        (work / name).write_text(NOTEBOOK)
    said = school.max.run("submit", ASSIGNMENT, "--strict")
    assert "MISSING" not in said
    assert "EXTRA" not in said
    assert handed_in(school) == [{NFC, "problem 1.ipynb"}]
    (work / NFC).write_text("which of the two?")
    said = school.max.run("submit", ASSIGNMENT, fails=True)
    assert r"\xdcbung.ipynb and U\u0308bung.ipynb" in said or r"U\u0308bung.ipynb and \xdcbung.ipynb" in said
    assert len(handed_in(school)) == 1
    (school.teacher.home / "release" / ASSIGNMENT / NFD).write_text(NOTEBOOK)
    assert "names that look alike" in school.teacher.run("release_assignment", ASSIGNMENT, "--force", fails=True)


@pytest.mark.parametrize("as_folder", [False, True])
def test_files_of_the_students_own_with_our_names_are_sent_and_kept(
    school: School, work: Path, as_folder: bool
) -> None:
    names = ("timestamp.txt", "ngshare_receipt.json")
    paths = {f"{name}/own" if as_folder else name for name in names}
    for path in paths:
        (work / path).parent.mkdir(exist_ok=True)
        (work / path).write_text("own")
    (work / "timestamp.txt-folder").write_text("own, too")
    said = school.max.run("submit", ASSIGNMENT)
    assert paths < handed_in(school)[0]
    receipt = Path(said.split("Receipt: ")[1].strip())
    assert receipt.name == "ngshare_receipt-2.json"
    assert paths < {file["path"] for file in json.loads(receipt.read_text())["files"]}
    assert {(receipt.parent / path).read_text() for path in paths} == {"own"}
    school.teacher.run("collect", ASSIGNMENT)
    collected = school.submitted / "max" / ASSIGNMENT
    assert (collected / "timestamp.txt").read_text().endswith(" UTC")
    if as_folder:
        assert (collected / "timestamp.txt-folder-2" / "own").read_text() == "own"
    assert (collected / "timestamp.txt-folder").read_text() == "own, too"


@pytest.mark.usefixtures("work")
def test_what_was_handed_in_counts_though_no_copy_can_be_kept(school: School) -> None:
    course = Path(SubmissionCache(str(school.max.cache)).folder_of_course(COURSE))
    course.parent.mkdir(parents=True)
    course.write_text("in the way")
    said = school.max.run("submit", ASSIGNMENT)
    assert "Your work was handed in, but your copy of it and the receipt could not be kept" in said
    assert len(handed_in(school)) == 1
    # A name of which no copy could ever be kept is not released.
    long = "x" * 230
    (school.teacher.home / "release" / long).mkdir()
    (school.teacher.home / "release" / long / "a").touch()
    assert "shorten it" in school.teacher.run("release_assignment", long, fails=True)


def test_a_folder_says_where_it_was_fetched_from_and_that_is_heeded(school: School, work: Path) -> None:
    origin = read_origin(str(work)) or Origin(COURSE, ASSIGNMENT, None, {})
    write_origin(str(work), Origin("Other course", ASSIGNMENT, origin.timestamp, origin.files))
    said = school.max.run("submit", ASSIGNMENT, fails=True)
    assert f"This folder was fetched from the course Other course, not {COURSE}" in said
    assert f"nbgrader submit '{ASSIGNMENT}' --course 'Other course'" in said
    school.max.run("submit", ASSIGNMENT, "--ExchangeSubmit.ignore_origin=True")
    assert ORIGIN not in handed_in(school)[0]
    write_origin(str(work), Origin(COURSE, "ps0", origin.timestamp, origin.files))
    said = school.max.run("submit", ASSIGNMENT, fails=True)
    assert f"was fetched as the assignment ps0, not {ASSIGNMENT}. Give it the name ps0" in said
    (work / ORIGIN).write_text("broken")
    school.max.run("submit", ASSIGNMENT)
    (work / ORIGIN).unlink()
    school.max.run("submit", ASSIGNMENT)
    assert len(handed_in(school)) == 3
    # The name is typed in a Mac's form.
    write_origin(str(work), Origin(COURSE, ASSIGNMENT, None, {"problem 1.ipynb": "0"}))
    renamed = ASSIGNMENT.replace("Ü", "U\u0308")
    work.rename(work.with_name(renamed))
    assert "A newer release of" in school.max.run("submit", renamed)
    assert len(handed_in(school)) == 4


def test_a_newer_release_is_said(school: School, work: Path) -> None:
    said = "A newer release of"
    fetched = read_origin(str(work))
    notebook = school.teacher.home / "release" / ASSIGNMENT / "problem 1.ipynb"
    (path,) = school.stored("releases/*/files/problem 1.ipynb")
    checksums = {"problem 1.ipynb": hashlib.md5(path.read_bytes()).hexdigest()}
    if fetched is None:
        write_origin(str(work), Origin(COURSE, ASSIGNMENT, None, checksums))
    assert said not in school.max.run("submit", ASSIGNMENT)
    notebook.write_text(NOTEBOOK + "\n")
    school.teacher.run("release_assignment", ASSIGNMENT, "--force")
    assert said in school.max.run("submit", ASSIGNMENT)
    write_origin(str(work), Origin(COURSE, ASSIGNMENT, None, checksums))  # as an older server has it
    assert said in school.max.run("submit", ASSIGNMENT)


def test_a_slash_that_the_shell_has_added_means_nothing(school: School) -> None:
    teacher, student = school.teacher, school.max
    teacher.run("release_assignment", ASSIGNMENT)
    teacher.run("release_assignment", f"{ASSIGNMENT}/", "--force", f"--course={COURSE}/")
    assert [path.name for path in (school.volume / "courses" / COURSE / "assignments").iterdir()] == [ASSIGNMENT]
    assert len(school.stored("releases/*")) == 2
    student.run("fetch_assignment", f"{ASSIGNMENT}/")
    student.run("submit", f"{ASSIGNMENT}//")
    student.run("submit", f"{student.home}/{ASSIGNMENT}/")
    assert len(handed_in(school)) == 2
    assert len(student.listed(f"--assignment={ASSIGNMENT}/", f"--course={COURSE}/")) == 1
    teacher.run("collect", f"{ASSIGNMENT}/")
    assert (school.submitted / "max" / ASSIGNMENT / "problem 1.ipynb").exists()
    timestamp = (school.submitted / "max" / ASSIGNMENT / "timestamp.txt").read_text()
    page = teacher.home / "feedback" / "max" / ASSIGNMENT / "problem 1.html"
    page.parent.mkdir(parents=True)
    page.write_text("good")
    (page.parent / "timestamp.txt").write_text(timestamp)
    teacher.run("release_feedback", f"{ASSIGNMENT}/")
    student.run("fetch_feedback", f"{ASSIGNMENT}/")
    assert (student.home / ASSIGNMENT / "feedback" / timestamp / "problem 1.html").read_text() == "good"
    for name in (".", "..", "a/b", "/"):
        (teacher.home / "release" / name).mkdir(parents=True, exist_ok=True)
        assert "cannot be a folder's name" in teacher.run("release_assignment", name, fails=True)
