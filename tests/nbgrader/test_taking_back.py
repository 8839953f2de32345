"""Releases that are taken back, and what is listed: no work goes out of sight, and no two courses are mixed up."""

import json
import shlex
from urllib.parse import quote

import pytest

from ngshare_fs.exchange.folders.origin import Origin, write_origin
from tests.faulty_proxy import Fault, faulty_proxy
from tests.nbgrader.conftest import ASSIGNMENT, COURSE, NOTEBOOK, School, _post
from tests.nbgrader.test_extensions import press

pytestmark = pytest.mark.others

EARLIER, LATER = "2020-01-30 10:30:47.524219 UTC", "2999-01-30 10:30:47.524219 UTC"
UNKNOWN = Fault(status=404, body=b"<h1>404 Not Found</h1>")


def test_a_corrected_assignment_keeps_what_was_handed_in(school: School) -> None:
    """Formgrader's buttons: release, ×, release, collect, feedback."""
    teacher, student = school.teacher, school.max
    teacher.run("generate_assignment", ASSIGNMENT, "--force")
    assert press(teacher, "formgrader", "release_assignment", ASSIGNMENT)["success"] is True
    student.run("fetch_assignment", ASSIGNMENT)
    student.run("submit", ASSIGNMENT)

    taken = press(teacher, "formgrader", "unrelease", ASSIGNMENT)
    assert taken["success"] is True
    assert "What was handed in stays, and a new release brings it back" in taken["log"]
    # Formgrader offers Release where this is empty, and Collect where it is not.
    assert press(teacher, "formgrader", "get_released_assignments") == []
    assert teacher.listed() == [
        f"{COURSE} {ASSIGNMENT} (taken back: students do not see it until it is released again)"
    ]
    assert json.loads(teacher.run("list", "--json", "--quiet"))[0]["status"] == "withdrawn"
    assert school.zoë.listed() == []
    assert "Assignment not found" in school.zoë.run("fetch_assignment", ASSIGNMENT, fails=True)
    assert len(teacher.listed("--inbound")) == 1
    assert not list((school.volume / "trash").glob("*/*"))

    assert press(teacher, "formgrader", "release_assignment", ASSIGNMENT)["success"] is True
    assert press(teacher, "formgrader", "get_released_assignments") == [ASSIGNMENT]
    assert press(teacher, "formgrader", "collect", ASSIGNMENT)["success"] is True
    assert (school.submitted / "max" / ASSIGNMENT / "problem 1.ipynb").exists()
    assert press(teacher, "formgrader", "autograde", ASSIGNMENT, "max")["success"] is True
    assert press(teacher, "formgrader", "generate_feedback", ASSIGNMENT)["success"] is True
    assert press(teacher, "formgrader", "release_feedback", ASSIGNMENT)["success"] is True
    student.run("fetch_feedback", ASSIGNMENT)
    assert list((student.home / ASSIGNMENT / "feedback").glob("*/problem 1.html"))


def test_an_older_server_is_not_made_to_destroy_work(school: School) -> None:
    teacher = school.teacher
    school.release_and_fetch()
    school.max.run("submit", ASSIGNMENT)
    with faulty_proxy(school.server.url) as proxy:
        teacher.environment["NGSHARE_URL"] = proxy.url
        listed = Fault(forward=True, send=2**40)
        proxy.faults += [listed, UNKNOWN]
        said = teacher.run("list", "--remove", ASSIGNMENT, fails=True)
        assert "only together with all that was handed in. Nothing was done." in said
        command = f"nbgrader list --remove '{ASSIGNMENT}' --course '{COURSE}' --ExchangeList.yes=True"
        assert command in said
        assert len(teacher.listed("--inbound")) == 1
        # Of a whole course that is never done.
        proxy.faults += [listed, UNKNOWN]
        assert command in teacher.run("list", "--remove", "--ExchangeList.yes=True", fails=True)
        proxy.faults += [listed, UNKNOWN]
        said = teacher.run(*shlex.split(command)[1:])
        assert "was removed, with all that was handed in" in said
        assert proxy.requests[-1].startswith("DELETE ")
    (deleted,) = (school.volume / "trash").glob(f"*/{ASSIGNMENT}")
    assert len(list(deleted.glob("submissions/max/*"))) == 1


def test_submissions_are_removed_only_by_somebody_who_says_so(school: School) -> None:
    teacher = school.teacher
    school.release_and_fetch()
    for student in (school.zoë, school.max, school.max):
        student.run("submit", ASSIGNMENT)
    said = teacher.run("list", "--inbound", "--remove", ASSIGNMENT, fails=True)
    assert "Remove 3 submissions of 2 students from the exchange, with the feedback on them?" in said
    assert "say --ExchangeList.yes=True. Nothing was changed." in said
    assert len(teacher.listed("--inbound")) == 3
    teacher.run("list", "--inbound", "--remove", ASSIGNMENT, "--student=max", "--ExchangeList.yes=True")
    (left,) = teacher.listed("--inbound")
    assert school.zoë.name in left
    teacher.run("list", "--inbound", "--remove", ASSIGNMENT, "--student=max")  # nothing is there to be asked about


def test_a_list_says_of_which_course_a_folder_is(school: School) -> None:
    zoë, teacher = school.zoë, school.teacher
    teacher.run("release_assignment", ASSIGNMENT)
    _post(school.server.url + "course/other", instructors='["teacher"]')
    names = {"first_name": "", "last_name": "", "email": ""}
    _post(school.server.url + f"student/other/{quote(zoë.name)}", **names)
    teacher.run("release_assignment", ASSIGNMENT, "--course=other")
    zoë.run("fetch_assignment", ASSIGNMENT)
    write_origin(str(zoë.home / ASSIGNMENT), Origin(COURSE, ASSIGNMENT, LATER, {}))
    everything = "--course="
    assert zoë.listed(everything) == [
        f"{COURSE} {ASSIGNMENT} (already downloaded)",
        f"other {ASSIGNMENT} (not downloaded: the folder {ASSIGNMENT} is the assignment {ASSIGNMENT} of the course "
        f"{COURSE})",
    ]
    entries = json.loads(zoë.run("list", "--json", "--quiet", everything))
    assert [entry["status"] for entry in entries] == ["fetched", "released"]
    assert set(entries[1]) == {"course_id", "assignment_id", "status", "path", "notebooks", "dates"}

    write_origin(str(zoë.home / ASSIGNMENT), Origin(COURSE, ASSIGNMENT, EARLIER, {}))
    (line,) = zoë.listed()
    assert line.startswith(f"{COURSE} {ASSIGNMENT} (already downloaded; a newer release is there: 20")

    separate = ("--Exchange.path_includes_course=True", everything)
    (zoë.home / "other").mkdir()
    (zoë.home / ASSIGNMENT).rename(zoë.home / "other" / ASSIGNMENT)
    write_origin(str(zoë.home / "other" / ASSIGNMENT), Origin("other", ASSIGNMENT, LATER, {}))
    assert [line.partition(" (")[2] for line in zoë.listed(*separate)] == ["", "already downloaded)"]


def test_what_is_no_copy_of_an_assignment_is_not_listed_as_one(school: School) -> None:
    zoë = school.zoë
    school.teacher.run("release_assignment", ASSIGNMENT)
    place = zoë.home / ASSIGNMENT

    def status() -> str:
        return str(json.loads(zoë.run("list", "--json", "--quiet"))[0]["status"])

    (place / "feedback" / "2020-01-30 10:30:47.524219 UTC").mkdir(parents=True)
    assert (zoë.listed(), status()) == ([f"{COURSE} {ASSIGNMENT}"], "released")
    (place / "problem 1.ipynb").write_text(NOTEBOOK)  # by hand, or by an older plug-in
    assert (zoë.listed(), status()) == ([f"{COURSE} {ASSIGNMENT} (already downloaded)"], "fetched")
    place.rename(zoë.home / "elsewhere")
    place.symlink_to(zoë.home / "elsewhere")
    assert status() == "fetched"
    place.unlink()
    for is_link in (False, True):
        place.symlink_to("nowhere") if is_link else place.touch()
        assert zoë.listed() == [f"{COURSE} {ASSIGNMENT} (not downloaded: {ASSIGNMENT} is in the way, and no folder)"]
        assert status() == "released"
        place.unlink()
