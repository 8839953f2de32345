"""The dates of an assignment as nbgrader's commands show them, and work that comes late, too late, or too early."""

import json
import os
import pty
import re
import subprocess
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from ngshare_fs.exchange.connection.client import Client
from ngshare_fs.exchange.connection.exchange_api import ExchangeApi
from ngshare_fs.exchange.connection.server import Server
from ngshare_fs.exchange.failures.problems import CLOSED, Refused
from tests.faulty_proxy import LOST_ANSWER, Fault, faulty_proxy
from tests.local_files import files_in
from tests.nbgrader.conftest import ASSIGNMENT, COURSE, School
from tests.nbgrader.dated import extend, from_now, hand_in_at, in_vienna, set_dates
from tests.nbgrader.people import Person

pytestmark = pytest.mark.others

PASSES = Fault(forward=True, send=2**40)
CONFIRM = "--ExchangeSubmit.confirm_late=True"


def listed_as_json(person: Person, *options: str) -> Any:
    lines = person.run("list", "--json", *options).splitlines()
    return json.loads("\n".join(line for line in lines if not line.startswith("[ListApp")))


def test_lists_say_what_is_due(school: School) -> None:
    teacher, zoë = school.teacher, school.zoë
    in_vienna(school)
    school.release_and_fetch()
    named = f"{COURSE} {ASSIGNMENT}"
    assert zoë.listed() == [f"{named} (already downloaded)"]
    set_dates(school, due=from_now(days=3, hours=1), close=from_now(days=5, hours=1))
    (line,) = zoë.listed()
    assert line.startswith(f"{named} (already downloaded), due 20")
    assert "(in 3 days); closes 20" in line
    assert line.endswith("(in 5 days)")
    extend(school, zoë.name, "2099-01-01 12:00:00", reason="ill")
    (line,) = zoë.listed()
    assert ", due 2099-01-01 12:00:00 Europe/Vienna (in " in line
    assert line.endswith("; with your extension (ill)")
    assert "extension" not in school.max.listed()[0]
    extend(school, zoë.name, "2099-01-01 12:00:00")
    assert zoë.listed()[0].endswith("; with your extension")

    set_dates(school, due="2026-01-15 23:59:59", close="2026-01-17 23:59:59", grace="5m")
    due = datetime(2026, 1, 15, 22, 59, 59, tzinfo=timezone.utc)
    for student, late in (("max", timedelta(hours=2)), (zoë.name, timedelta(0))):
        hand_in_at(school, student, due + late, {"problem 1.ipynb": b"{}"})
    (line,) = school.max.listed()
    assert re.search(
        r", due 2026-01-15 23:59:59 Europe/Vienna \(\d+ days ago\); closed 2026-01-17 23:59:59 Europe/", line
    )
    (entry,) = listed_as_json(school.max)
    assert entry["status"] == "fetched"
    assert entry["dates"] == {
        "release": None,
        "due": "2026-01-15 22:59:59.000000 UTC",
        "close": "2026-01-17 22:59:59.000000 UTC",
        "grace_seconds": 300,
        "timezone": "Europe/Vienna",
        "state": "closed",
        "extended": False,
        "reason": None,
    }
    ((late,), (in_time,)) = (entry["submissions"] for entry in listed_as_json(teacher, "--inbound"))
    assert [(each["student_id"], each["late_seconds"]) for each in (late, in_time)] == [("max", 7200), (zoë.name, 0)]
    assert [line.endswith("UTC (late by 2 hours) (no feedback available)") for line in teacher.listed("--inbound")] == [
        True,
        False,
    ]
    assert "UTC (late by 2 hours) (no feedback available)" in school.max.listed("--cached")[0]
    assert "late" not in zoë.listed("--cached")[0]
    own = school.max.forked([str(school.max.programs / "ngshare-fs"), "submissions", "list"]).stdout
    assert own.endswith("UTC  (late by 2 hours)\n")


def test_before_the_release_there_is_nothing_for_students(school: School) -> None:
    teacher, max_ = school.teacher, school.max
    release = from_now(days=2, hours=1)
    said = teacher.run("release_assignment", ASSIGNMENT, f"--ExchangeReleaseAssignment.release_date={release}")
    assert "students see it from 20" in said
    assert "(in 2 days)" in said
    assert f"{COURSE} {ASSIGNMENT}, students see it from" in teacher.listed()[0]
    assert max_.listed() == []
    said = max_.run("fetch_assignment", ASSIGNMENT, fails=True)
    assert "Assignment not found. It is not released yet, or was taken back" in said
    work = max_.home / ASSIGNMENT
    work.mkdir()
    (work / "own.txt").write_text("early")
    said = max_.run("submit", ASSIGNMENT, fails=True)
    assert "Your work was NOT handed in. The exchange says: Assignment not found" in said
    assert not school.stored("submissions/*/*")
    # Who teaches may look at it as students will have it, and try to hand in.
    assert "students see it from" in teacher.run("fetch_assignment", ASSIGNMENT)
    teacher.run("submit", ASSIGNMENT)
    said = teacher.run(
        "release_assignment", ASSIGNMENT, "--force", "--ExchangeReleaseAssignment.release_date=soon", fails=True
    )
    assert "The exchange says: " in said
    assert len(school.stored("releases/*")) == 1
    set_dates(school, release="2026-01-01 08:00:00")
    (work / "own.txt").unlink()
    work.rmdir()
    assert max_.listed() == [f"{COURSE} {ASSIGNMENT}"]
    max_.run("fetch_assignment", ASSIGNMENT)


def test_handing_in_says_how_it_lies_to_the_due_date(school: School) -> None:
    school.release_and_fetch()
    max_ = school.max
    assert "due" not in max_.run("submit", ASSIGNMENT)
    set_dates(school, due=from_now(days=3, hours=1))
    assert "Handed in 3 days before the due date, 20" in max_.run("submit", ASSIGNMENT)
    set_dates(school, due=from_now(minutes=-3), grace="2h")
    said = max_.run("submit", ASSIGNMENT)
    assert "Handed in 3 minutes" in said
    assert "which does not count as late" in said
    set_dates(school, grace="")
    said = max_.run("submit", ASSIGNMENT)
    assert "Handed in LATE, 3 minutes" in said
    receipt = json.loads(Path(said.split("Receipt: ")[1].splitlines()[0]).read_text())
    assert receipt["late_seconds"] >= 180
    assert receipt["due"].endswith("UTC")
    extend(school, "max", "2099-01-01 12:00:00")
    said = max_.run("submit", ASSIGNMENT, CONFIRM)
    assert "LATE" not in said
    assert "before the due date, 2099-01-01" in said


def test_nobody_who_wants_to_be_asked_hands_in_late_unasked(school: School) -> None:
    school.release_and_fetch()
    set_dates(school, due=from_now(hours=-2, minutes=-1))
    max_ = school.max
    said = max_.run("submit", ASSIGNMENT, CONFIRM, fails=True)
    assert f"Your work was NOT handed in. {ASSIGNMENT} was due at 20" in said
    assert "2 hours 1 minute ago. What you hand in now is late. Hand it in?" in said
    assert "Nobody is there to ask: say --ExchangeSubmit.confirm_late=False" in said
    assert not school.stored("submissions/*/*")


@pytest.mark.long
def test_whoever_is_asked_at_a_terminal_decides(school: School) -> None:
    school.release_and_fetch()
    set_dates(school, due=from_now(hours=-2, minutes=-1))
    max_ = school.max
    for answer, exit_code in (("n", 1), ("y", 0)):
        ours, theirs = pty.openpty()
        try:
            os.write(ours, f"{answer}\n".encode())
            done = subprocess.run(
                [str(max_.programs / "nbgrader"), "submit", ASSIGNMENT, CONFIRM],
                cwd=max_.home, env=max_.environment, stdin=theirs, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                encoding="utf-8", timeout=120, check=False,
            )  # fmt: skip
        finally:
            os.close(ours)
            os.close(theirs)
        assert done.returncode == exit_code, done.stdout
        assert "Hand it in? [y/N]" in done.stdout
    assert "Handed in LATE, 2 hours" in done.stdout
    assert len(school.stored("submissions/max/*")) == 1


def test_after_the_end_nothing_is_sent_but_what_may_have_arrived(school: School) -> None:
    in_vienna(school)
    school.release_and_fetch()
    max_, work = school.max, school.max.home / ASSIGNMENT / "own.txt"
    with faulty_proxy(school.server.url) as proxy:
        max_.environment["NGSHARE_URL"] = proxy.url
        work.write_text("in time")
        proxy.faults.extend([PASSES, LOST_ANSWER])
        said = max_.run("submit", ASSIGNMENT, "--Exchange.patience=0", fails=True)
        assert "It is not known whether your work was handed in" in said
        (stored,) = school.stored("submissions/max/*")
        set_dates(school, due="2026-01-15 23:59:59", close="2026-01-17 23:59:59")
        # That attempt had arrived before the end: there is a receipt for it.
        assert "The server has stored 3 files" in max_.run("submit", ASSIGNMENT)
        assert school.stored("submissions/max/*") == [stored]

        work.write_text("too late")
        proxy.requests.clear()
        said = max_.run("submit", ASSIGNMENT, fails=True)
        assert f"Your work was NOT handed in. {ASSIGNMENT} closed at 2026-01-17 23:59:59 Europe/Vienna, " in said
        assert "Nothing of it was stored; your files stay as they are." in said
        assert not [request for request in proxy.requests if request.startswith("POST")]
        assert work.read_text() == "too late"
        assert not list(max_.cache.glob(".ngshare_pending*"))
        max_.environment["NGSHARE_URL"] = school.server.url
    # The server says so itself where it closes in between, and nobody waits for it to open again.
    (big := max_.home / ASSIGNMENT / "big.bin").write_bytes(os.urandom(20_000_000))
    client = Client(Server(school.server.url, "user:max", "max", standalone=True), 60, None)  # type: ignore[arg-type]
    with pytest.raises(
        Refused, match=r"Assignment is closed.*2026-01-17 23:59:59 Europe/Vienna.*ask your instructor"
    ) as refused:
        ExchangeApi(client).submit(COURSE, ASSIGNMENT, files_in(str(big.parent)), "k", None)
    assert (refused.value.status, refused.value.says(CLOSED), client.repeated) == (403, True, False)
    assert school.stored("submissions/max/*") == [stored]
    # Who has more time, or teaches, hands in all the same.
    extend(school, "max", "2099-01-01 12:00:00")
    big.unlink()
    assert "before the due date, 2099" in max_.run("submit", ASSIGNMENT)
    school.teacher.run("fetch_assignment", ASSIGNMENT)
    assert "Handed in LATE" in school.teacher.run("submit", ASSIGNMENT)
    assert "LATE" in school.teacher.run("submit", ASSIGNMENT, f"--student={school.zoë.name}")


def test_dates_that_cannot_be_read_keep_no_work_away(school: School) -> None:
    # The server may have understood dates of another test's assignment, and would go on with them.
    name = "never understood"
    (school.teacher.home / "release" / ASSIGNMENT).rename(school.teacher.home / "release" / name)
    school.teacher.run("release_assignment", name)
    school.max.run("fetch_assignment", name)
    folder = school.volume / "courses" / COURSE / "assignments" / name
    (folder / "assignment.yaml").write_text("due: soon\n")
    said = school.max.run("submit", name)
    assert "what you hand in is not compared with the release" in said
    assert "trying again" not in said
    assert len(list(folder.glob("submissions/max/*"))) == 1
    said = school.teacher.run("collect", name)
    assert f"It is not known when {name} is due; the gradebook stays as it is" in said
    assert (school.submitted / "max" / name / "problem 1.ipynb").exists()
    said = school.teacher.run("collect", name, "--before-duedate", fails=True)
    assert "Course data cannot be read" in said
