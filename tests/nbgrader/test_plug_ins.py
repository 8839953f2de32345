"""The plug-ins with nbgrader's real commands: a course's life, and every failure said, with nothing half done."""

import fcntl
import json
import os
import pty
import re
import shutil
import struct
import subprocess
import termios
from pathlib import Path

import pytest

from examples.whole_cycle import environments
from ngshare_fs.store.checking.verify import verify_volume
from tests.faulty_proxy import LOST_ANSWER, Fault, faulty_proxy
from tests.nbgrader.conftest import ASSIGNMENT, COURSE, School
from tests.nbgrader.people import Person

pytestmark = pytest.mark.others


def test_a_course_with_odd_names_goes_its_way(school: School) -> None:
    teacher, zoë = school.teacher, school.zoë
    teacher.run("generate_assignment", ASSIGNMENT, "--force")
    school.release_and_fetch()
    assert zoë.listed() == [f"{COURSE} {ASSIGNMENT} (already downloaded)"]
    for number in (1, 2):
        (zoë.home / ASSIGNMENT / "own.txt").write_text(str(number))
        printed = zoë.run("submit", ASSIGNMENT)
        (timestamp,) = re.findall(rf"Submitted as: {re.escape(COURSE)} {ASSIGNMENT} (.*UTC)", printed)
        assert "The server has stored 2 files:" in printed
    (entry,) = school.max.run("submit", ASSIGNMENT).split("Receipt: ")[1:]
    receipt = json.loads(Path(entry.strip()).read_text())
    assert (receipt["course"], receipt["student"], receipt["confirmed_by_server"]) == (COURSE, "max", True)
    assert [file["path"] for file in receipt["files"]] == ["problem 1.ipynb"]

    teacher.run("release_assignment", ASSIGNMENT, fails=True)
    teacher.run("release_assignment", ASSIGNMENT, "--force")
    assert len(school.stored("releases/*")) == 2
    assert len(school.stored("submissions/*/*")) == 3

    assert len(teacher.listed("--inbound")) == 3
    teacher.run("collect", ASSIGNMENT)
    collected = school.submitted / zoë.name / ASSIGNMENT
    assert (collected / "own.txt").read_text() == "2"
    assert (collected / "timestamp.txt").read_text() == timestamp
    teacher.run("autograde", ASSIGNMENT, "--create")
    teacher.run("generate_feedback", ASSIGNMENT)
    teacher.run("release_feedback", ASSIGNMENT)
    first, second = zoë.listed("--cached")
    assert first.endswith("(no feedback available)")
    assert second == f"{COURSE} {zoë.name} {ASSIGNMENT} {timestamp} (feedback ready to be fetched)"
    zoë.run("fetch_feedback", ASSIGNMENT)
    page = zoë.home / ASSIGNMENT / "feedback" / timestamp / "problem 1.html"
    assert page.exists()
    assert [path.name for path in page.parent.parent.iterdir()] == [timestamp]
    assert zoë.listed("--cached")[1].endswith("(feedback already fetched)")
    page.write_text("old")
    assert zoë.listed("--cached")[1].endswith("(feedback ready to be fetched)")
    # The cache is lost: the server knows.
    shutil.rmtree(zoë.cache)
    assert len(zoë.listed("--cached")) == 2
    entries = json.loads(zoë.run("list", "--cached", "--json", "--quiet"))
    assert [one["feedback_updated"] for one in entries[0]["submissions"]] == [False, True]
    assert list(verify_volume(school.volume)) == []


def test_every_failure_is_said(school: School) -> None:
    teacher, zoë = school.teacher, school.zoë
    said = zoë.run("fetch_assignment", ASSIGNMENT, fails=True)
    assert "The exchange says: Assignment not found. It is not released yet, or was taken back" in said
    school.release_and_fetch()
    assert "You already have a copy" in zoë.run("fetch_assignment", ASSIGNMENT, fails=True)
    said = zoë.run("submit", "no such", fails=True)
    assert f"Did you mean: {zoë.home / ASSIGNMENT}" in said
    said = zoë.run("submit", ASSIGNMENT, "--course=none", fails=True)
    assert "The exchange says: Course not found" in said
    said = zoë.run("submit", ASSIGNMENT, "--CourseDirectory.max_dir_size=0", fails=True)
    assert "Directory size is too big" in said
    said = zoë.run("submit", ASSIGNMENT, "--student=max", fails=True)
    assert "Your work was NOT handed in. The exchange says: Permission denied." in said
    said = zoë.run("collect", ASSIGNMENT, fails=True)
    assert "The exchange says: Permission denied." in said
    said = zoë.run("list", "--remove", ASSIGNMENT, fails=True)
    assert f"Only instructors may remove what is in the course {COURSE}" in said
    assert "Name the assignment or the course" in teacher.run("list", "--remove", "--course=", fails=True)
    said = zoë.run("fetch_feedback", ASSIGNMENT, "--course=none", fails=True)
    assert "You are not in the course none" in said
    assert "Destination already exists, add --force" in teacher.run("release_assignment", ASSIGNMENT, fails=True)
    zoë.environment["JUPYTERHUB_USER"] = "stranger"
    said = zoë.run("submit", ASSIGNMENT, fails=True)
    assert "ask your instructor to add you with your exact user name" in said
    zoë.environment["JUPYTERHUB_USER"] = zoë.name
    # Without pages, feedback is nobody's mistake; without a time, it is.
    folder = teacher.home / "feedback" / "max" / ASSIGNMENT
    folder.mkdir(parents=True)
    teacher.run("release_feedback", ASSIGNMENT)
    (folder / "problem 1.html").write_text("good")
    assert "has no timestamp.txt" in teacher.run("release_feedback", ASSIGNMENT, fails=True)
    (folder / "timestamp.txt").write_text("2020-01-01 00:00:00.000000 UTC")
    said = teacher.run("release_feedback", ASSIGNMENT, fails=True)
    assert "max: The exchange says: Student not found" in said or "max: The exchange says: Submission not found" in said

    school.server.stop()
    commands = (
        (zoë, ("fetch_assignment", ASSIGNMENT, "--replace")),
        (zoë, ("submit", ASSIGNMENT)),
        (zoë, ("list",)),
        (zoë, ("list", "--cached")),
        (zoë, ("fetch_feedback", ASSIGNMENT)),
        (teacher, ("release_assignment", ASSIGNMENT, "--force")),
        (teacher, ("collect", ASSIGNMENT)),
        (teacher, ("release_feedback", ASSIGNMENT)),
    )
    for person, command in commands:
        said = person.run(*command, "--Exchange.patience=0.1", fails=True)
        assert "cannot be reached: nobody is listening there" in said, command
    assert not list(zoë.cache.glob("*/*"))


def test_a_server_that_nobody_named_is_said_to_be_missing(school: School) -> None:
    del school.zoë.environment["NGSHARE_URL"]
    assert "It is not known where the exchange is" in school.zoë.run("list", fails=True)


def test_damage_leaves_the_old_copy_and_everybody_elses(school: School) -> None:
    school.release_and_fetch()
    teacher = school.teacher
    for text in ("old", "new"):
        for student in (school.zoë, school.max):
            (student.home / ASSIGNMENT / "own.txt").write_text(text)
            student.run("submit", ASSIGNMENT)
        if text == "old":
            teacher.run("collect", ASSIGNMENT)
    school.stored("submissions/max/*/files/own.txt")[-1].write_text("NEW")  # as long as it was
    said = teacher.run("collect", ASSIGNMENT, "--update", fails=True)
    assert "1 of 2 submissions could not be collected" in said
    assert "max: own.txt was damaged on the way: its checksum does not match" in said
    assert (school.submitted / "max" / ASSIGNMENT / "own.txt").read_text() == "old"
    assert (school.submitted / school.zoë.name / ASSIGNMENT / "own.txt").read_text() == "new"
    school.stored("submissions/max/*/files/own.txt")[-1].unlink()
    said = teacher.run("collect", ASSIGNMENT, "--update", fails=True)
    assert "max: the exchange says: Stored files are damaged" in said
    assert (school.submitted / "max" / ASSIGNMENT / "own.txt").read_text() == "old"

    shutil.rmtree(school.zoë.home / ASSIGNMENT)
    (school.stored("releases/*/files/data/*.csv")[0]).write_bytes(b"9,9\xff\n")
    assert "damaged on the way" in school.zoë.run("fetch_assignment", ASSIGNMENT, fails=True)
    assert not (school.zoë.home / ASSIGNMENT).exists()


def test_work_whose_fate_is_unknown_is_handed_in_once(school: School) -> None:
    school.release_and_fetch()
    zoë = school.zoë
    with faulty_proxy(school.server.url) as proxy:
        zoë.environment["NGSHARE_URL"] = proxy.url
        # One answer lost: the student sees a pause.
        zoë.run("submit", ASSIGNMENT)
        proxy.faults.clear()
        before = len(proxy.requests)
        (zoë.home / ASSIGNMENT / "own.txt").write_text("more")
        # All answers lost, until patience ends.
        proxy.faults.extend([LOST_ANSWER] * 50)
        said = zoë.run("submit", ASSIGNMENT, "--Exchange.patience=0", fails=True)
        assert "cannot be reached" in said
        assert len(proxy.requests) == before + 1
        proxy.faults.clear()
        answers = [True, False]  # the list of notebooks, then the submission
        proxy.faults.extend(Fault(forward=True, send=2**40) if passes else LOST_ANSWER for passes in answers)
        said = zoë.run("submit", ASSIGNMENT, "--Exchange.patience=0", fails=True)
        assert "It is not known whether your work was handed in: submit again" in said
        assert len(school.stored("submissions/zoë*/*")) == 2
        zoë.run("submit", ASSIGNMENT)
        assert len(school.stored("submissions/zoë*/*")) == 2
        zoë.run("submit", ASSIGNMENT)  # on purpose
        assert len(school.stored("submissions/zoë*/*")) == 3
    assert not list(zoë.cache.glob(".ngshare_pending*"))


PASSES = Fault(forward=True, send=2**40)


def test_what_is_handed_in_last_counts_also_where_its_first_attempt_was_overtaken(school: School) -> None:
    """Between an answer that was lost and the next attempt, other work came from a machine with another cache."""
    school.release_and_fetch()
    zoë = school.zoë
    own = zoë.home / ASSIGNMENT / "own.txt"
    with faulty_proxy(school.server.url) as proxy:
        zoë.environment["NGSHARE_URL"] = proxy.url
        own.write_text("here")
        proxy.faults.extend([PASSES, LOST_ANSWER])
        zoë.run("submit", ASSIGNMENT, "--Exchange.patience=0", fails=True)
        proxy.faults.clear()
        own.write_text("elsewhere")
        zoë.run("submit", ASSIGNMENT, f"--Exchange.cache={zoë.home / 'other cache'}")
        own.write_text("here")
        zoë.run("submit", ASSIGNMENT)
    stored = sorted(school.stored("submissions/zoë*/*"))
    assert [(tree / "files/own.txt").read_text() for tree in stored] == ["here", "elsewhere", "here"]
    assert not list(zoë.cache.glob(".ngshare_pending*"))


@pytest.mark.parametrize(
    "cut", [pytest.param(0, marks=pytest.mark.long), 300, pytest.param(2**20, marks=pytest.mark.long)]
)
def test_a_command_that_is_killed_leaves_nothing_half_done(school: School, cut: int) -> None:
    """Each is killed while the server's answer is on its way, `cut` bytes of it at most, and then given once more."""
    stall = Fault(forward=True, send=cut, stall=True)
    zoë, teacher = school.zoë, school.teacher
    folder = zoë.home / ASSIGNMENT
    teacher.run("release_assignment", ASSIGNMENT)
    with faulty_proxy(school.server.url) as proxy:
        for person in (zoë, school.max, teacher):
            person.environment["NGSHARE_URL"] = proxy.url

        def killed(person: Person, *command: str, passing: int = 0) -> None:
            proxy.faults.extend([PASSES] * passing + [stall])
            process = person.start(*command)
            try:
                assert proxy.stalled.wait(60)
            finally:
                process.kill()
                process.wait()
                proxy.stalled.clear()
                proxy.go_on.set()
                proxy.go_on.clear()

        killed(zoë, "fetch_assignment", ASSIGNMENT)
        assert not folder.exists()
        zoë.run("fetch_assignment", ASSIGNMENT)
        assert (folder / "data/größe m².csv").read_bytes() == b"1,2\xff\n"
        school.max.run("fetch_assignment", ASSIGNMENT)

        for text in ("old", "new"):
            for student in (school.max, zoë):
                (student.home / ASSIGNMENT / "own.txt").write_text(text * 500)
            school.max.run("submit", ASSIGNMENT)
            killed(zoë, "submit", ASSIGNMENT, passing=1)
            zoë.run("submit", ASSIGNMENT)
            if text == "old":
                teacher.run("collect", ASSIGNMENT)
        assert len(school.stored("submissions/zoë*/*")) == 2
        assert len(zoë.listed("--cached")) == 2

        killed(teacher, "collect", "--update", ASSIGNMENT, passing=1)
        for student in (school.max, zoë):
            text = (school.submitted / student.name / ASSIGNMENT / "own.txt").read_text()
            assert text in ("old" * 500, "new" * 500)
        teacher.run("collect", "--update", ASSIGNMENT)
        for student in (school.max, zoë):
            collected = school.submitted / student.name / ASSIGNMENT
            assert (collected / "own.txt").read_text() == "new" * 500
            assert sorted(path.name for path in collected.iterdir()) == [
                "data", "own.txt", "problem 1.ipynb", "timestamp.txt"
            ]  # fmt: skip
    for person in (zoë, teacher):
        for left in person.home.rglob(".ngshare-fs-*"):
            shutil.rmtree(left)  # what was cut short; a day later, a command sweeps it


def test_an_instructor_hands_in_for_a_student(school: School) -> None:
    school.teacher.run("release_assignment", ASSIGNMENT)
    school.teacher.run("fetch_assignment", ASSIGNMENT)
    school.teacher.run("submit", ASSIGNMENT, "--student=max")
    (manifest,) = school.stored("submissions/max/*/manifest.yaml")
    assert "by: teacher\n" in manifest.read_text()
    assert "Student not found" in school.teacher.run("submit", ASSIGNMENT, "--student=nobody", fails=True)
    school.teacher.run("collect", ASSIGNMENT, "--student=zoë@uni.example")
    assert not school.submitted.exists()
    school.teacher.run("collect", ASSIGNMENT, "--student=max")
    assert os.listdir(school.submitted) == ["max"]


def test_a_shared_course_is_the_groups(school: School) -> None:
    with (school.teacher.home / ".jupyter/nbgrader_config.py").open("a") as file:
        file.write("c.CourseDirectory.groupshared = True\n")
    school.release_and_fetch()
    school.max.run("submit", ASSIGNMENT)
    school.teacher.run("collect", ASSIGNMENT)
    folder = school.submitted / "max" / ASSIGNMENT
    assert folder.stat().st_mode & 0o7777 == 0o2775 | 0o2770
    assert (folder / "problem 1.ipynb").stat().st_mode & 0o777 == 0o664


def test_missing_files_come_back_and_changed_ones_stay(school: School) -> None:
    school.release_and_fetch()
    folder = school.zoë.home / ASSIGNMENT
    (folder / "problem 1.ipynb").write_text("mine")
    shutil.rmtree(folder / "data")
    (folder / "data").symlink_to(school.zoë.home / ".jupyter")
    said = school.zoë.run("fetch_assignment", ASSIGNMENT, "--replace", fails=True)
    assert "leads out of the assignment" in said
    (folder / "data").unlink()
    said = school.zoë.run("fetch_assignment", ASSIGNMENT, "--replace")
    assert "Replacing missing file" in said
    assert (folder / "data/größe m².csv").read_bytes() == b"1,2\xff\n"
    assert (folder / "problem 1.ipynb").read_text() == "mine"


def test_the_gradebook_is_kept_in_step_with_the_roster(school: School) -> None:
    teacher = school.teacher
    roster = teacher.home / "roster.csv"
    roster.write_text("student_id,first_name,last_name,email\nmax,Max,Groß,m@x\nada,Ada,,\n")
    teacher.manage("sync", COURSE, "roster.csv", "--yes")
    listed = teacher.run("db", "student", "list")
    assert "max (Groß, Max) -- m@x" in listed
    assert "ada" in listed
    assert "zoë" not in listed
    # Work that was graded keeps a student in the gradebook, unless it is meant to go, too.
    teacher.run("generate_assignment", ASSIGNMENT, "--force")
    school.teacher.run("release_assignment", ASSIGNMENT)
    school.max.run("fetch_assignment", ASSIGNMENT)
    school.max.run("submit", ASSIGNMENT)
    teacher.run("collect", ASSIGNMENT)
    teacher.run("autograde", ASSIGNMENT)
    assert "Still in the gradebook, since they have grades: max" in teacher.manage(
        "remove-students", COURSE, "max", "ada"
    )
    listed = teacher.run("db", "student", "list")
    assert "max" in listed
    assert "ada" not in listed
    teacher.manage("add-student", COURSE, "max", "--no-gradebook")
    teacher.manage("remove-students", COURSE, "max", "--force")
    assert "max" not in teacher.run("db", "student", "list")


def test_handing_in_imports_nothing_that_only_others_need(school: School) -> None:
    # It is what a command's time is made of; everybody waits for this one, and at the same moment.
    school.release_and_fetch()
    printed = school.zoë.python(
        "import atexit, sys\n"
        "from nbgrader.apps.nbgraderapp import main\n"
        "atexit.register(lambda: print('imported:', *sorted(sys.modules)))\n"
        f"sys.argv = ['nbgrader', 'submit', {ASSIGNMENT!r}]\n"
        "main()\n"
    )
    assert "The server has stored" in printed
    imported = set(printed.split("imported: ")[1].split())
    assert "ngshare_fs.exchange.submit" in imported
    assert not imported & {"tqdm", "pybase64", "ngshare_fs.exchange.receiving.tree_in_answer"}


@pytest.mark.parametrize(("total", "is_shown"), [("10**8", True), ("None", True), ("10**6", False)])
def test_what_takes_long_shows_how_far_it_is_at_a_terminal(total: str, is_shown: bool) -> None:
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("4H", 24, 80, 0, 0))
    program = (
        "from ngshare_fs.terminal.progress import progress\n"
        f"with progress('sending', {total}) as sent: sent(5 * 10**5)\n"
        "import sys; print('imported:', 'tqdm' in sys.modules, file=sys.stderr)\n"
    )
    try:
        subprocess.run([environments.for_plug_ins() / "python", "-c", program], stderr=theirs, check=True)
        printed = b""
        while b"imported:" not in printed or not printed.endswith(b"\n"):
            printed += os.read(ours, 1000)
    finally:
        os.close(ours)
        os.close(theirs)
    assert (b"sending:" in printed) == is_shown
    assert (b"imported: True" in printed) == is_shown
