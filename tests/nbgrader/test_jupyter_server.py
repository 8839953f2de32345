"""In a real Jupyter server: a hanging exchange does not freeze it for long, and the first line says what failed."""

import re
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote

import pytest

from ngshare_fs.exchange.jupyter.inside_jupyter import LONGEST_WAIT_SECONDS
from tests.nbgrader.conftest import ASSIGNMENT, COURSE, School
from tests.nbgrader.dated import set_dates
from tests.nbgrader.running_jupyter import JupyterServer, jupyter_server

pytestmark = pytest.mark.others

# More than a busy machine takes for all that is no waiting.
SLACK = 30.0


def first_line(answer: Any) -> str:
    """What the page shows first, checked to be followed by little else."""
    assert answer["success"] is False
    lines = answer["value"].splitlines()
    assert len(lines) < 20, answer["value"]
    assert "During handling" not in answer["value"]
    return str(lines[0])


@contextmanager
def answering_meanwhile(server: JupyterServer) -> Iterator[None]:
    """The Jupyter server is never away for longer than it may be."""
    over = threading.Event()
    waits: list[float] = []

    def ask() -> None:
        while not over.wait(0.1):
            started = time.monotonic()
            server.ask("GET", "/api/status")
            waits.append(time.monotonic() - started)

    asking = threading.Thread(target=ask)
    asking.start()
    try:
        yield
    finally:
        over.set()
        asking.join()
    assert max(waits) < LONGEST_WAIT_SECONDS + SLACK


def test_the_assignment_list_says_what_failed_and_what_is_late(school: School) -> None:
    zoë = school.zoë
    school.release_and_fetch()
    with jupyter_server(zoë) as server:
        answer = server.press("fetch", COURSE, ASSIGNMENT)
        assert first_line(answer).startswith("Error: You already have a copy of the assignment in this directory")
        assert answer["value"].splitlines()[1] == "To have the list back, click the round arrow at the top."
        listed = server.ask("GET", f"/assignments?course_id={quote(COURSE)}")
        assert [entry["status"] for entry in listed["value"]] == ["fetched"]
        refused = first_line(server.press("fetch_feedback", "none", ASSIGNMENT))
        assert refused.startswith("Error: You are not in the course none")
        refused = first_line(server.press("submit", "none", ASSIGNMENT))
        assert refused.startswith("Error: ")
        assert "Course not found" in refused

        # What is late is said, in the one text that the page shows of a submission.
        set_dates(school, due="2026-01-15 23:59:59 Europe/Vienna")
        assert server.press("submit", COURSE, ASSIGNMENT)["success"] is True
        fetched, submitted = server.ask("GET", f"/assignments?course_id={quote(COURSE)}")["value"]
        assert fetched["dates"]["state"] == "late"
        (submission,) = submitted["submissions"]
        assert re.fullmatch(r"\d{4}-\d\d-\d\d \S+ UTC \(late by \d+ days\)", submission["timestamp"])
        with (zoë.home / ".jupyter/nbgrader_config.py").open("a") as file:
            file.write("c.ExchangeSubmit.confirm_late = True\n")
        refused = first_line(server.press("submit", COURSE, ASSIGNMENT))
        assert refused.startswith(f"Error: Your work was NOT handed in. {ASSIGNMENT} was due at 2026-01-15 2")
        assert "Nobody is there to ask" in refused
        set_dates(school, close="2026-01-17 23:59:59 Europe/Vienna")
        refused = first_line(server.press("submit", COURSE, ASSIGNMENT))
        assert refused.startswith(f"Error: Your work was NOT handed in. {ASSIGNMENT} closed at 2026-01-17 2")
    assert len(school.stored("submissions/*/*")) == 1


@pytest.mark.parametrize(
    "action", ["submit", pytest.param("fetch", marks=pytest.mark.long), pytest.param("list", marks=pytest.mark.long)]
)
def test_a_hanging_exchange_never_freezes_it_for_long(school: School, action: str) -> None:
    zoë = school.zoë
    school.release_and_fetch()
    if action == "fetch":
        (zoë.home / ASSIGNMENT).rename(zoë.home / "away")
    with jupyter_server(zoë) as server:
        assert server.ask("GET", "/courses") == {"success": True, "value": [COURSE]}
        school.server.process.send_signal(signal.SIGSTOP)
        try:
            with answering_meanwhile(server):
                if action == "list":
                    said = first_line(server.ask("GET", "/courses"))
                else:
                    said = first_line(server.press(action, COURSE, ASSIGNMENT))
        finally:
            school.server.process.send_signal(signal.SIGCONT)
        assert "cannot be reached: it does not answer" in said
        if action != "list":
            assert "JupyterLab cannot wait any longer; the same command of nbgrader in a terminal can." in said
        assert server.ask("GET", "/courses") == {"success": True, "value": [COURSE]}
