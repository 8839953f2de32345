"""What a user has made is never removed, mixed up or left out by a command, and a copy never grows a twin."""

import json
import os
import re
import shutil
import subprocess
import unicodedata
from pathlib import Path
from urllib.parse import quote
from urllib.request import urlopen

import pytest

from ngshare_fs.exchange.folders.origin import read_origin
from tests.faulty_proxy import Fault, faulty_proxy
from tests.nbgrader.conftest import ASSIGNMENT, COURSE, NOTEBOOK, School
from tests.nbgrader.people import Person

pytestmark = pytest.mark.others

PASSES = Fault(forward=True, send=2**40)


def hand_in(student: Person, text: str) -> str:
    """Submit the fetched assignment with a file of this content, and give the timestamp."""
    (student.home / ASSIGNMENT / "own.txt").write_text(text)
    printed = student.run("submit", ASSIGNMENT)
    (timestamp,) = re.findall(r"Submitted as: .* (\S+ \S+ UTC)", printed)
    return str(timestamp)


def hand_in_nothing(school: School, student: str) -> str:
    """As an older client does from a folder that holds nothing; the timestamp."""
    path = f"submission/{quote(COURSE)}/{quote(ASSIGNMENT)}?user={quote(student)}"
    with urlopen(school.server.url + path, b"files=%5B%5D") as answer:
        timestamp: str = json.load(answer)["timestamp"]
        return timestamp


def test_what_stands_where_an_assignment_is_fetched_stays(school: School, tmp_path: Path) -> None:
    school.teacher.run("release_assignment", ASSIGNMENT)
    zoë = school.zoë
    place = zoë.home / ASSIGNMENT
    place.write_text("mine")
    for options in ((), ("--replace",)):
        said = zoë.run("fetch_assignment", ASSIGNMENT, *options, fails=True)
        assert f"{place}: a file is in the way and stays as it is" in said
    assert place.read_text() == "mine"
    place.unlink()
    place.symlink_to(tmp_path / "not mounted")
    assert "a link that leads nowhere" in zoë.run("fetch_assignment", ASSIGNMENT, fails=True)
    assert place.is_symlink()
    # A link to an empty folder is where the student wants the work to be.
    (tmp_path / "not mounted").mkdir()
    zoë.run("fetch_assignment", ASSIGNMENT)
    assert place.is_symlink()
    assert (tmp_path / "not mounted/data/größe m².csv").exists()
    assert read_origin(str(place)) is not None


def test_what_stands_where_work_is_collected_stays(school: School, tmp_path: Path) -> None:
    school.release_and_fetch()
    teacher, zoë = school.teacher, school.zoë
    for student in (zoë, school.max):
        hand_in(student, "1")
    place, other = school.submitted / zoë.name / ASSIGNMENT, school.submitted / "max" / ASSIGNMENT
    place.parent.mkdir(parents=True)
    place.write_text("grades")
    said = teacher.run("collect", ASSIGNMENT, fails=True)
    assert f"{zoë.name}: {place}: a file is in the way and stays as it is" in said
    assert place.read_text() == "grades"
    assert (other / "own.txt").read_text() == "1"

    # Made by hand, and changed by hand: kept under a name that is seen. A link is left to whom it belongs.
    place.unlink()
    place.mkdir()
    (place / "by mail.ipynb").write_text("mailed")
    (other / "notes.txt").write_text("late?")
    hand_in(school.max, "2")
    said = teacher.run("collect", ASSIGNMENT, "--update")
    assert said.count("made or changed by hand") == 2
    replaced = teacher.home / "replaced"
    (mailed,) = (replaced / zoë.name / ASSIGNMENT).glob("*/by mail.ipynb")
    (notes,) = (replaced / "max" / ASSIGNMENT).glob("*/notes.txt")
    assert (mailed.read_text(), notes.read_text()) == ("mailed", "late?")
    assert (notes.parent / "own.txt").read_text() == "1"
    assert [(each / "own.txt").read_text() for each in (place, other)] == ["1", "2"]
    # What nobody has touched gives way, and a notebook editor's own copies do not count.
    (other / ".ipynb_checkpoints").mkdir()
    (other / ".ipynb_checkpoints/x.ipynb").write_text("copy")
    shutil.rmtree(replaced)
    hand_in(school.max, "3")
    elsewhere = tmp_path / "elsewhere"
    place.rename(elsewhere)
    place.symlink_to(elsewhere)
    hand_in(zoë, "3")
    said = teacher.run("collect", ASSIGNMENT, "--update", fails=True)
    assert f"{zoë.name}: {place}: a link to a folder is in the way" in said
    assert not replaced.exists()
    assert (elsewhere / "own.txt").read_text() == "1"
    assert (other / "own.txt").read_text() == "3"


def test_feedback_that_came_first_is_no_copy_and_stays(school: School) -> None:
    school.release_and_fetch()
    teacher, max = school.teacher, school.max
    timestamp = hand_in(max, "1")
    pages = teacher.home / "feedback/max" / ASSIGNMENT
    pages.mkdir(parents=True)
    (pages / "timestamp.txt").write_text(timestamp)
    (pages / "problem 1.html").write_text("good")
    os.mkfifo(pages / "pipe.html")
    (pages / "gone.html").symlink_to("nowhere")
    assert "gone.html is a link that leads nowhere" in teacher.run("release_feedback", ASSIGNMENT)
    shutil.rmtree(max.home / ASSIGNMENT)

    (max.home / ASSIGNMENT).write_text("mine")
    said = max.run("fetch_feedback", ASSIGNMENT, fails=True)
    assert f"{max.home / ASSIGNMENT}: a file is in the way" in said
    (max.home / ASSIGNMENT).unlink()
    max.run("fetch_feedback", ASSIGNMENT)
    here = max.home / ASSIGNMENT / "feedback" / timestamp
    (here / "my notes.txt").write_text("so that is why")
    max.run("fetch_assignment", ASSIGNMENT)
    assert (max.home / ASSIGNMENT / "problem 1.ipynb").exists()
    assert "You already have a copy" in max.run("fetch_assignment", ASSIGNMENT, fails=True)
    # Newer feedback comes in beside what the student has written there.
    (pages / "problem 1.html").write_text("better")
    teacher.run("release_feedback", ASSIGNMENT)
    max.run("fetch_feedback", ASSIGNMENT)
    assert (here / "problem 1.html").read_text() == "better"
    assert (here / "my notes.txt").read_text() == "so that is why"


def test_a_missing_file_is_not_brought_back_beside_its_twin(school: School) -> None:
    release = school.teacher.home / "release" / ASSIGNMENT
    (release / "Übung1.ipynb").write_text(NOTEBOOK)
    school.teacher.run("release_assignment", ASSIGNMENT)
    zoë = school.zoë
    zoë.run("fetch_assignment", ASSIGNMENT)
    folder = zoë.home / ASSIGNMENT
    decomposed = unicodedata.normalize("NFD", "Übung1.ipynb")
    (folder / "Übung1.ipynb").rename(folder / decomposed)
    (folder / decomposed).write_text("my work")
    (folder / "data/größe m².csv").rename(folder / "data" / unicodedata.normalize("NFD", "größe m².csv"))
    (folder / "problem 1.ipynb").unlink()
    zoë.run("fetch_assignment", ASSIGNMENT, "--replace")
    assert sorted(path.name for path in folder.glob("*.ipynb")) == sorted([decomposed, "problem 1.ipynb"])
    assert (folder / decomposed).read_text() == "my work"
    assert len(list((folder / "data").iterdir())) == 1


def test_two_courses_or_releases_are_not_mixed(school: School) -> None:
    school.release_and_fetch()
    teacher, zoë = school.teacher, school.zoë
    folder = zoë.home / ASSIGNMENT
    origin = read_origin(str(folder))
    assert origin is not None
    assert (origin.course, origin.assignment) == (COURSE, ASSIGNMENT)
    assert sorted(origin.files) == ["data/größe m².csv", "problem 1.ipynb"]

    (teacher.home / "release" / ASSIGNMENT / "problem 1.ipynb").write_text(NOTEBOOK + "\n")
    (teacher.home / "release" / ASSIGNMENT / "new.csv").write_text("1")
    teacher.run("release_assignment", ASSIGNMENT, "--force")
    said = zoë.run("fetch_assignment", ASSIGNMENT, "--replace")
    assert "There is a newer release" in said
    assert "kept here as they are: problem 1.ipynb. To get the newer ones, rename yours" in said
    assert (folder / "new.csv").exists()
    assert (folder / "problem 1.ipynb").read_text() == NOTEBOOK
    noted = read_origin(str(folder))
    assert noted is not None
    assert noted.timestamp == origin.timestamp
    assert noted.files == {**origin.files, "new.csv": "c4ca4238a0b923820dcc509a6f75849b"}
    (folder / "problem 1.ipynb").rename(folder / "mine.ipynb")
    assert "newer" not in zoë.run("fetch_assignment", ASSIGNMENT, "--replace")
    assert (folder / "problem 1.ipynb").read_text() == NOTEBOOK + "\n"
    noted = read_origin(str(folder))
    assert noted is not None
    assert noted.files["problem 1.ipynb"] != origin.files["problem 1.ipynb"]

    for options in ((), ("--replace",)):
        said = zoë.run("fetch_assignment", ASSIGNMENT, "--course=Other", *options, fails=True)
        assert f"is the assignment {ASSIGNMENT} of the course {COURSE}, not {ASSIGNMENT} of Other" in said
        assert "path_includes_course = True" in said


def test_an_empty_submission_does_not_displace_work(school: School) -> None:
    school.release_and_fetch()
    teacher, zoë, max = school.teacher, school.zoë, school.max
    first, second = hand_in(zoë, "1"), hand_in(max, "1")
    empty = hand_in_nothing(school, zoë.name)
    said = teacher.run("collect", ASSIGNMENT)
    assert (
        f"{zoë.name}: the newest submission, of {empty}, has no notebook; that of {first} is collected instead" in said
    )
    assert (school.submitted / zoë.name / ASSIGNMENT / "timestamp.txt").read_text() == first
    empty = hand_in_nothing(school, "max")
    said = teacher.run("collect", ASSIGNMENT, "--update")
    assert f"max: the newest submission, of {empty}, has no notebook; the copy that is here, of {second}, stays" in said
    assert (school.submitted / "max" / ASSIGNMENT / "timestamp.txt").read_text() == second
    # The deadline was before the copy that is here.
    teacher.run("db", "assignment", "add", ASSIGNMENT, f"--duedate={empty}")
    third = hand_in(max, "late")
    shutil.rmtree(school.submitted / "max")
    teacher.run("collect", ASSIGNMENT)
    said = teacher.run("collect", ASSIGNMENT, "--before-duedate")
    assert f"max: the newest submission in time, of {empty}, has no notebook; that of {second} is collected" in said
    assert (school.submitted / "max" / ASSIGNMENT / "timestamp.txt").read_text() == second
    assert third > empty
    # In time there is nothing else, and work that is late.
    in_time, late = [each for each in school.stored("submissions/max/*") if list(each.glob("files/*.ipynb"))]
    shutil.rmtree(in_time)
    shutil.rmtree(school.submitted / "max")
    said = teacher.run("collect", ASSIGNMENT, "--before-duedate")
    assert (
        f"in time, of {empty}, has no notebook; no older one has, either; there is a later one, which is late" in said
    )
    # There is nothing else at all.
    shutil.rmtree(school.submitted / "max")
    shutil.rmtree(late)
    said = teacher.run("collect", ASSIGNMENT)
    assert f"max: the submission of {empty} has no files" in said
    assert os.listdir(school.submitted / "max" / ASSIGNMENT) == ["timestamp.txt"]


def test_a_line_that_cannot_be_understood_is_one_students(school: School) -> None:
    school.release_and_fetch()
    teacher, zoë = school.teacher, school.zoë
    for student in (zoë, school.max):
        hand_in(student, "1")
    good = {"student_id": "max", "success": True, "timestamp": "2020-01-01 00:00:00.000000 UTC", "files": []}
    lines = ['{"student_id": "zoë@uni.example", "success": true, "files": [}', json.dumps(good), '{"submissions": 2}']
    body = "".join(line + "\n" for line in lines).encode()
    with faulty_proxy(school.server.url) as proxy:
        teacher.environment["NGSHARE_URL"] = proxy.url
        # Due dates, submissions, instructors, graders; then the collection.
        proxy.faults.extend([*[PASSES] * 4, Fault(status=200, body=body)])
        said = teacher.run("collect", ASSIGNMENT, fails=True)
    assert "1 of 2 submissions could not be collected" in said
    assert f"{zoë.name}: the exchange did not send it, or nothing that can be understood" in said
    assert (school.submitted / "max" / ASSIGNMENT / "timestamp.txt").exists()


def test_trials_of_instructors_are_left_out_and_names_come(school: School) -> None:
    school.release_and_fetch()
    teacher = school.teacher
    teacher.run("fetch_assignment", ASSIGNMENT)
    hand_in(teacher, "trial")
    hand_in(school.max, "1")
    hand_in(school.zoë, "1")
    teacher.manage("add-student", COURSE, "max", "--first-name=Max", "--last-name=Groß", "--no-gradebook")
    teacher.run("db", "student", "add", "zoë@uni.example", "--first-name=Zoë")
    said = teacher.run("collect", ASSIGNMENT)
    assert "Left out, since they are instructors or graders: teacher." in said
    assert sorted(os.listdir(school.submitted)) == ["max", "zoë@uni.example"]
    listed = teacher.run("db", "student", "list")
    assert "max (Groß, Max)" in listed
    assert "Zoë" in listed
    teacher.run("collect", ASSIGNMENT, "--student=teacher")
    assert (school.submitted / "teacher").exists()
    shutil.rmtree(school.submitted / "teacher")
    # A gradebook that cannot be opened is no reason to collect nothing.
    (teacher.home / "gradebook.db").write_text("no database at all")
    said = teacher.run("collect", ASSIGNMENT, "--ExchangeCollect.include_instructors=True")
    assert "could not be brought to the gradebook" in said
    assert (school.submitted / "teacher").exists()


def test_time_zones_and_formats_of_nbgraders_own_exchange_mean_nothing(school: School) -> None:
    with (school.zoë.home / ".jupyter/nbgrader_config.py").open("a") as file:
        file.write("c.Exchange.timezone = 'Middle/Earth'\nc.Exchange.timestamp_format = '%H o clock, roughly'\n")
    with (school.max.home / ".jupyter/nbgrader_config.py").open("a") as file:
        file.write("c.Exchange.timezone = None\nc.Exchange.timestamp_format = 7\n")
    school.release_and_fetch()
    for student in (school.zoë, school.max):
        assert hand_in(student, "1").endswith(" UTC")


def test_a_full_disk_is_said_to_be_one(school: School) -> None:
    school.release_and_fetch()
    zoë = school.zoë
    zoë.cache.mkdir(parents=True)
    command = ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(zoë.cache)]
    if os.geteuid() or subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("mounting a small disk needs root: run the tests as root")
    try:
        (zoë.home / ASSIGNMENT / "own.txt").write_text("0123456789" * 40_000)
        said = zoë.run("submit", ASSIGNMENT, fails=True)
    finally:
        subprocess.run(["umount", str(zoë.cache)], check=True)
    assert "Your disk is full, or your quota is used up. Remove files, and try again." in said
    assert "Errno" not in said
