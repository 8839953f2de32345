"""A plug-in for pytest that has nbgrader's own tests exchange files over HTTP.

They know an exchange as a folder. So a server is emptied before each test, courses are made when a command first names
them, and after each command the test's folder shows what the server has, as nbgrader would have laid it out. What a
test changes in the feedback there is returned to the server.

It runs in nbgrader's environment, without this repository's tests: `pytest -p over_http --pyargs nbgrader.tests...`.
"""

import base64
import functools
import hashlib
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

import nbgrader.tests
import pytest
import requests
from nbgrader.exchange import ExchangeFactory
from nbgrader.utils import get_username
from traitlets.utils.importstring import import_item

from ngshare_fs.exchange import PLUG_INS

URL = os.environ["NGSHARE_URL"]
ADMIN = "harness"
OUTCOMES: dict[str, str] = {}


def pytest_configure() -> None:
    for name, plug_in in PLUG_INS.items():
        trait: Any = getattr(ExchangeFactory, name)
        trait.default_value = import_item(plug_in)
    nbgrader.tests.run_nbgrader = _mirrored(nbgrader.tests.run_nbgrader)


def pytest_runtest_setup() -> None:
    _call("GET", "initialize-Data6ase", action="clear")


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    name = report.nodeid.rpartition("/")[2]
    if report.when == "call" or report.outcome != "passed":
        OUTCOMES[name] = report.outcome


def pytest_sessionfinish() -> None:
    Path(os.environ["OUTCOMES"]).write_text(json.dumps(OUTCOMES))


def _call(method: str, *path: str, **fields: str) -> dict[str, Any]:
    url = URL + "/".join(map(quote, path))
    fields["user"] = ADMIN
    in_query = method == "GET"
    response = requests.request(
        method, url, params=fields if in_query else None, data=None if in_query else fields, timeout=60
    )
    answer: dict[str, Any] = response.json()
    assert answer["success"], (url, answer)
    return answer


def _mirrored(run: Callable[..., str]) -> Callable[..., str]:
    @functools.wraps(run)
    def run_and_show(arguments: list[str], *rest: Any, **named: Any) -> str:
        course = _value(arguments, "--course")
        root = _value(arguments, "--Exchange.root")
        if course:
            _make_course(course)
            student = _value(arguments, "--student")
            if student and not set(student) & set("*+"):
                _call("POST", "student", course, student, first_name="", last_name="", email="")
        if root:
            _return_feedback(Path(root))
        if arguments[0] == "list":
            # Nobody is there to be asked before something is removed.
            arguments = [*arguments, "--ExchangeList.yes=True"]
        if arguments[0] == "collect":
            # There, one and the same user teaches and hands in.
            arguments = [*arguments, "--ExchangeCollect.include_instructors=True"]
        try:
            return run(arguments, *rest, **named)
        finally:
            if root:
                _show(Path(root))

    return run_and_show


def _value(arguments: list[str], option: str) -> str | None:
    for number, argument in enumerate(arguments):
        if argument == option:
            return arguments[number + 1]
        if argument.startswith(option + "="):
            return argument.partition("=")[2]
    return None


def _make_course(course: str) -> None:
    if course not in _call("GET", "courses")["courses"]:
        _call("POST", "course", course, instructors=json.dumps([get_username()]))


def _show(root: Path) -> None:
    for folder in root.glob("*/*"):
        shutil.rmtree(folder)
    for course in _call("GET", "courses")["courses"]:
        for part in ("outbound", "inbound", "feedback"):
            (root / course / part).mkdir(parents=True, exist_ok=True)
        (listed,) = _call("GET", "listing", course=course)["courses"]
        for each in listed["assignments"]:
            assignment = each["assignment_id"]
            if not each["withdrawn"]:
                _write(root / course / "outbound" / assignment, _call("GET", "assignment", course, assignment))
            for entry in _call("GET", "submissions", course, assignment)["submissions"]:
                student, timestamp = entry["student_id"], entry["timestamp"]
                folder = root / course / "inbound" / f"{student}+{assignment}+{timestamp}+random"
                _write(folder, _call("GET", "submission", course, assignment, student, timestamp=timestamp))
                (folder / "timestamp.txt").write_text(timestamp)
                feedback = _call("GET", "feedback", course, assignment, student, timestamp=timestamp)
                for file in feedback["files"]:
                    name = "+".join((student, assignment, timestamp, file["checksum"], file["path"]))
                    (root / course / "feedback" / name).write_bytes(base64.b64decode(file["content"]))


def _write(folder: Path, answer: dict[str, Any]) -> None:
    for file in answer["files"]:
        place = folder / file["path"]
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(base64.b64decode(file["content"]))


def _return_feedback(root: Path) -> None:
    for page in root.glob("*/feedback/*+*"):
        student, assignment, timestamp, checksum, path = page.name.split("+")
        content = page.read_bytes()
        if hashlib.md5(content).hexdigest() != checksum:
            files = json.dumps([{"path": path, "content": base64.b64encode(content).decode()}])
            course = page.parent.parent.name
            _call("POST", "feedback", course, assignment, student, timestamp=timestamp, files=files)
