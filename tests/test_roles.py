"""Who may call what: every role against every endpoint."""

import pytest

from ngshare_fs.api.endpoint import Endpoint, Who
from ngshare_fs.api.endpoints.table import ENDPOINTS
from tests.conftest import Exchange, MakeExchange

# What the API grants; the other users get 403.
ALLOWED = {
    Who.ANYONE: {"root", "kevin", "lawrence", "other student", "stranger"},
    Who.ADMIN: {"root"},
    Who.MEMBER: {"root", "kevin", "lawrence", "other student"},
    Who.INSTRUCTOR: {"root", "kevin"},
    Who.INSTRUCTOR_OR_SELF: {"root", "kevin", "lawrence"},
}
REASONS = {
    Who.ADMIN: "(not admin)",
    Who.MEMBER: "(not related to course)",
    Who.INSTRUCTOR: "(not course instructor)",
    Who.INSTRUCTOR_OR_SELF: "(not course instructor)",
}
# The contract, written out once more, so that a slip in the declarations shows.
WHO = {
    "GET courses": Who.ANYONE,
    "GET listing": Who.ANYONE,
    "POST course/{course}": Who.ADMIN,
    "DELETE course/{course}": Who.ADMIN,
    "POST instructor/{course}/{user}": Who.INSTRUCTOR,
    "GET instructor/{course}/{user}": Who.MEMBER,
    "DELETE instructor/{course}/{user}": Who.ADMIN,
    "GET instructors/{course}": Who.MEMBER,
    "POST student/{course}/{user}": Who.INSTRUCTOR,
    "GET student/{course}/{user}": Who.INSTRUCTOR_OR_SELF,
    "DELETE student/{course}/{user}": Who.INSTRUCTOR,
    "POST students/{course}": Who.INSTRUCTOR,
    "POST removal/{course}": Who.INSTRUCTOR,
    "GET students/{course}": Who.INSTRUCTOR,
    "GET assignments/{course}": Who.MEMBER,
    "GET assignment/{course}/{assignment}": Who.MEMBER,
    "POST assignment/{course}/{assignment}": Who.INSTRUCTOR,
    "PUT assignment/{course}/{assignment}": Who.INSTRUCTOR,
    "PUT assignment/{course}/{assignment}/withdrawn": Who.INSTRUCTOR,
    "DELETE assignment/{course}/{assignment}": Who.INSTRUCTOR,
    "GET submissions/{course}/{assignment}": Who.INSTRUCTOR,
    "GET submissions/{course}/{assignment}/{user}": Who.INSTRUCTOR_OR_SELF,
    "POST submission/{course}/{assignment}": Who.MEMBER,
    "POST collection/{course}/{assignment}": Who.INSTRUCTOR,
    "GET submission/{course}/{assignment}/{user}": Who.INSTRUCTOR_OR_SELF,
    "DELETE submission/{course}/{assignment}/{user}": Who.INSTRUCTOR,
    "POST feedback/{course}/{assignment}/{user}": Who.INSTRUCTOR,
    "GET feedback/{course}/{assignment}/{user}": Who.INSTRUCTOR_OR_SELF,
    "GET initialize-Data6ase": Who.ANYONE,
}
ROLES = sorted(ALLOWED[Who.ANYONE])


def test_the_table_of_endpoints_is_the_contract() -> None:
    assert {f"{endpoint.method} {endpoint.path}": endpoint.who for endpoint in ENDPOINTS} == WHO


def _path(endpoint: Endpoint) -> str:
    return endpoint.path.format(course="c", assignment="a", user="lawrence")


@pytest.fixture
async def course(taught: Exchange) -> Exchange:
    names = {"first_name": "", "last_name": "", "email": ""}
    assert (await taught.call("POST", "student/c/other student", "kevin", **names)).status == 200
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


async def test_the_reason_is_for_debug_mode_only(make_exchange: MakeExchange) -> None:
    exchange = await make_exchange(debug=False)
    answer = await exchange.call("POST", "course/c", "kevin")
    assert (answer.status, answer.message) == (403, "Permission denied")


async def test_a_token_names_a_user_only_where_it_says_so(taught: Exchange) -> None:
    for token, status in (("user:kevin", 200), ("kevin", 403), ("user:", 403), ("user:stranger", 403)):
        response = await taught.client.get("/api/students/c", headers={"Authorization": f"token {token}"})
        assert response.status == status, token
