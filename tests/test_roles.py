"""Who may call what: every role against every endpoint."""

import threading
from pathlib import Path

import pytest

from ngshare_fs.access.permission import Who
from ngshare_fs.api import action
from ngshare_fs.api.call import Call
from ngshare_fs.api.checks import check
from ngshare_fs.api.endpoint import Endpoint, Pool
from ngshare_fs.api.endpoints.table import ENDPOINTS
from ngshare_fs.settings import CourseCreators
from tests.conftest import Exchange, MakeExchange
from tests.trees import tree

# What the API grants; the other users get 403.
ALLOWED = {
    Who.ANYONE: {"root", "maker", "kevin", "tara", "lawrence", "other student", "stranger"},
    Who.COURSE_CREATOR: {"root", "maker"},
    Who.ADMIN: {"root"},
    Who.MEMBER: {"root", "kevin", "tara", "lawrence", "other student"},
    Who.GRADER: {"root", "kevin", "tara"},
    Who.GRADER_OR_SELF: {"root", "kevin", "tara", "lawrence"},
    Who.INSTRUCTOR: {"root", "kevin"},
}
REASONS = {
    Who.COURSE_CREATOR: "(not admin)",
    Who.ADMIN: "(not admin)",
    Who.MEMBER: "(not related to course)",
    Who.GRADER: "(not course instructor)",
    Who.GRADER_OR_SELF: "(not course instructor)",
    Who.INSTRUCTOR: "(not course instructor)",
}
# The contract, and where each action runs, written out once more, so that a slip in the declarations shows.
CONTRACT = {
    "GET courses": (Who.ANYONE, Pool.READS),
    "GET listing": (Who.ANYONE, Pool.READS),
    "POST course/{course}": (Who.COURSE_CREATOR, Pool.MANAGES),
    "DELETE course/{course}": (Who.ADMIN, Pool.MANAGES),
    "POST instructor/{course}/{user}": (Who.INSTRUCTOR, Pool.MANAGES),
    "GET instructor/{course}/{user}": (Who.MEMBER, Pool.READS),
    "DELETE instructor/{course}/{user}": (Who.ADMIN, Pool.MANAGES),
    "GET instructors/{course}": (Who.MEMBER, Pool.READS),
    "POST grader/{course}/{user}": (Who.INSTRUCTOR, Pool.MANAGES),
    "GET grader/{course}/{user}": (Who.MEMBER, Pool.READS),
    "DELETE grader/{course}/{user}": (Who.INSTRUCTOR, Pool.MANAGES),
    "GET graders/{course}": (Who.MEMBER, Pool.READS),
    "POST student/{course}/{user}": (Who.INSTRUCTOR, Pool.MANAGES),
    "GET student/{course}/{user}": (Who.GRADER_OR_SELF, Pool.READS),
    "DELETE student/{course}/{user}": (Who.INSTRUCTOR, Pool.MANAGES),
    "POST students/{course}": (Who.INSTRUCTOR, Pool.MANAGES),
    "POST removal/{course}": (Who.INSTRUCTOR, Pool.MANAGES),
    "GET students/{course}": (Who.GRADER, Pool.READS),
    "GET assignments/{course}": (Who.MEMBER, Pool.READS),
    "GET assignment/{course}/{assignment}": (Who.MEMBER, Pool.READS),
    "POST assignment/{course}/{assignment}": (Who.INSTRUCTOR, Pool.MANAGES),
    "PUT assignment/{course}/{assignment}": (Who.INSTRUCTOR, Pool.MANAGES),
    "PUT assignment/{course}/{assignment}/withdrawn": (Who.INSTRUCTOR, Pool.MANAGES),
    "DELETE assignment/{course}/{assignment}": (Who.INSTRUCTOR, Pool.MANAGES),
    "PATCH assignment/{course}/{assignment}": (Who.INSTRUCTOR, Pool.MANAGES),
    "PUT extension/{course}/{assignment}/{user}": (Who.INSTRUCTOR, Pool.MANAGES),
    "DELETE extension/{course}/{assignment}/{user}": (Who.INSTRUCTOR, Pool.MANAGES),
    "GET extensions/{course}/{assignment}": (Who.GRADER, Pool.READS),
    "GET submissions/{course}/{assignment}": (Who.GRADER, Pool.READS),
    "GET submissions/{course}/{assignment}/{user}": (Who.GRADER_OR_SELF, Pool.READS),
    "POST submission/{course}/{assignment}": (Who.MEMBER, Pool.WRITES_WORK),
    "POST collection/{course}/{assignment}": (Who.GRADER, Pool.READS),
    "GET submission/{course}/{assignment}/{user}": (Who.GRADER_OR_SELF, Pool.READS),
    "DELETE submission/{course}/{assignment}/{user}": (Who.INSTRUCTOR, Pool.WRITES_WORK),
    "POST feedback/{course}/{assignment}/{user}": (Who.GRADER, Pool.WRITES_WORK),
    "GET feedback/{course}/{assignment}/{user}": (Who.GRADER_OR_SELF, Pool.READS),
    "GET initialize-Data6ase": (Who.ANYONE, Pool.MANAGES),
}
# How the threads of each pool are called.
THREADS = {Pool.READS: "read", Pool.WRITES_WORK: "write", Pool.MANAGES: "manage"}
ROLES = sorted(ALLOWED[Who.ANYONE])


def test_the_table_of_endpoints_is_the_contract() -> None:
    declared = {f"{endpoint.method} {endpoint.path}": (endpoint.who, endpoint.pool) for endpoint in ENDPOINTS}
    assert declared == CONTRACT


def _path(endpoint: Endpoint) -> str:
    return endpoint.path.format(course="c", assignment="a", user="lawrence")


@pytest.fixture
async def exchange(make_exchange: MakeExchange) -> Exchange:
    return await make_exchange(course_creators=CourseCreators(frozenset({"maker"})))


@pytest.fixture
async def course(taught: Exchange) -> Exchange:
    names = {"first_name": "", "last_name": "", "email": ""}
    assert (await taught.call("POST", "student/c/other student", "kevin", **names)).status == 200
    assert (await taught.call("POST", "grader/c/tara", "kevin", **names)).status == 200
    return taught


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda endpoint: f"{endpoint.method} {endpoint.path}")
async def test_every_role_against_every_endpoint(course: Exchange, endpoint: Endpoint) -> None:
    # Those who are refused come first: who is allowed to may delete the course.
    for role in sorted(ROLES, key=lambda role: role in ALLOWED[endpoint.who]):
        answer = await course.call(endpoint.method, _path(endpoint), role)
        if role in ALLOWED[endpoint.who]:
            assert answer.status != 403, (role, answer)
        else:
            assert (answer.status, answer.message) == (403, f"Permission denied {REASONS[endpoint.who]}"), role


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda endpoint: f"{endpoint.method} {endpoint.path}")
async def test_nobody_is_refused_before_anything_else(course: Exchange, endpoint: Endpoint) -> None:
    if endpoint.is_page:
        return
    for path in (_path(endpoint), endpoint.path.format(course="no such", assignment="no such", user="nobody")):
        answer = await course.call(endpoint.method, path)
        assert (answer.status, answer.message) == (403, "Please supply user")


async def test_every_action_runs_where_its_endpoint_says(course: Exchange, monkeypatch: pytest.MonkeyPatch) -> None:
    threads = set()

    def noted(call: Call, endpoint: Endpoint) -> None:
        threads.add((threading.current_thread().name.partition("_")[0], endpoint.path))
        check(call, endpoint)

    monkeypatch.setattr(action, "check", noted)  # the last thing before the action, in its thread
    for endpoint in ENDPOINTS:
        threads.clear()
        await course.call(endpoint.method, _path(endpoint), "root")
        assert threads == {(THREADS[endpoint.pool], endpoint.path)}, endpoint


async def test_what_says_that_it_reads_changes_nothing(course: Exchange) -> None:
    assert (await course.call("POST", "submission/c/a", "lawrence", files=tree({"a": b"1"}))).status == 200
    (handed_in,) = (await course.call("GET", "submissions/c/a", "kevin")).body["submissions"]
    before = _all_files(course.data)
    for endpoint in ENDPOINTS:
        if endpoint.pool is Pool.READS:
            person = {"instructor": "kevin", "grader": "tara"}.get(endpoint.path.partition("/")[0], "lawrence")
            path = endpoint.path.format(course="c", assignment="a", user=person)
            answer = await course.call(endpoint.method, path, "root", timestamp=handed_in["timestamp"])
            assert answer.status == 200, (path, answer)
    assert _all_files(course.data) == before


def _all_files(folder: Path) -> dict[Path, tuple[int, bytes | None]]:
    """Each file and folder: what tells it from another in its place, and its content."""
    found = sorted(folder.rglob("*"))
    return {path: (path.lstat().st_ino, path.read_bytes() if path.is_file() else None) for path in found}


async def test_the_reason_is_for_debug_mode_only(make_exchange: MakeExchange) -> None:
    exchange = await make_exchange(debug=False)
    answer = await exchange.call("POST", "course/c", "kevin")
    assert (answer.status, answer.message) == (403, "Permission denied")


async def test_a_token_names_a_user_only_where_it_says_so(taught: Exchange) -> None:
    for token, status in (("user:kevin", 200), ("kevin", 403), ("user:", 403), ("user:stranger", 403)):
        response = await taught.client.get("/api/students/c", headers={"Authorization": f"token {token}"})
        assert response.status == status, token
