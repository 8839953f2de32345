"""The buttons of nbgrader's Assignment List and formgrader: what they do, what they show, how often they ask."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.faulty_proxy import faulty_proxy
from tests.nbgrader.conftest import ASSIGNMENT, COURSE, School
from tests.nbgrader.people import Person

pytestmark = pytest.mark.others


def press(person: Person, *words: str) -> Any:
    """Press a button, and give what the page is told."""
    done = person.forked([str(Path(__file__).with_name("use_extensions.py")), *words], apart=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_the_assignment_list(school: School) -> None:
    zoë = school.zoë
    school.teacher.run("release_assignment", ASSIGNMENT)
    with faulty_proxy(school.server.url) as proxy:
        zoë.environment["NGSHARE_URL"] = proxy.url
        assert press(zoë, "assignment-list", "list_courses") == {"success": True, "value": [COURSE]}
        # nbgrader asks twice: for what is released, and for what was submitted.
        assert proxy.requests == ["GET /api/listing"] * 2
        (released,) = press(zoë, "assignment-list", "list_assignments", COURSE)["value"]
        assert (released["status"], released["assignment_id"]) == ("released", ASSIGNMENT)
        assert [notebook["notebook_id"] for notebook in released["notebooks"]] == ["problem 1"]
        assert press(zoë, "assignment-list", "fetch_assignment", COURSE, ASSIGNMENT) == {"success": True}
        (fetched,) = press(zoë, "assignment-list", "list_assignments", COURSE)["value"]
        assert (fetched["status"], fetched["path"]) == ("fetched", ASSIGNMENT)
        assert fetched["notebooks"][0]["path"] == f"{ASSIGNMENT}/problem 1.ipynb"
        assert press(zoë, "assignment-list", "submit_assignment", COURSE, ASSIGNMENT) == {"success": True}
        fetched, submitted = press(zoë, "assignment-list", "list_assignments", COURSE)["value"]
        (submission,) = submitted["submissions"]
        assert (submitted["student_id"], submission["local_feedback_path"]) == (zoë.name, None)
        assert (submission["has_local_feedback"], submission["has_exchange_feedback"]) == (False, False)

        school.server.stop()
        with (zoë.home / ".jupyter/nbgrader_config.py").open("a") as file:
            file.write("c.Exchange.patience = 0.1\n")
        answer = press(zoë, "assignment-list", "submit_assignment", COURSE, ASSIGNMENT)
        assert answer["success"] is False
        assert "cannot be reached" in answer["value"].splitlines()[-1]
        assert press(zoë, "assignment-list", "list_assignments", COURSE)["success"] is False


def test_formgrader(school: School) -> None:
    teacher = school.teacher
    teacher.run("generate_assignment", ASSIGNMENT, "--force")
    assert press(teacher, "formgrader", "get_released_assignments") == []
    assert press(teacher, "formgrader", "release_assignment", ASSIGNMENT)["success"] is True
    again = press(teacher, "formgrader", "release_assignment", ASSIGNMENT)
    assert again["success"] is False
    assert "Destination already exists" in again["log"]
    assert press(teacher, "formgrader", "get_released_assignments") == [ASSIGNMENT]
    school.max.run("fetch_assignment", ASSIGNMENT)
    school.max.run("submit", ASSIGNMENT)
    assert press(teacher, "formgrader", "collect", ASSIGNMENT)["success"] is True
    assert (school.submitted / "max" / ASSIGNMENT / "problem 1.ipynb").exists()
    assert press(teacher, "formgrader", "autograde", ASSIGNMENT, "max")["success"] is True
    assert press(teacher, "formgrader", "generate_feedback", ASSIGNMENT)["success"] is True
    assert press(teacher, "formgrader", "release_feedback", ASSIGNMENT)["success"] is True
    fetched = press(school.max, "formgrader", "fetch_feedback", ASSIGNMENT, "max")
    assert fetched["success"] is True
    assert (school.max.home / ASSIGNMENT / "feedback").is_dir()
    assert press(teacher, "formgrader", "unrelease", ASSIGNMENT)["success"] is True
    assert press(teacher, "formgrader", "get_released_assignments") == []
    assert len(school.stored("submissions/max/*/feedback/*")) == 1
