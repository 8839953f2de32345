"""Who may call what, with the tokens of a real hub: every role against every endpoint."""

from functools import cache

import pytest

from ngshare_fs.api.endpoint import Endpoint
from ngshare_fs.api.endpoints.table import ENDPOINTS
from tests.hubs.client import Answer
from tests.hubs.exchange import FILES, NAMES, ask, must
from tests.hubs.hub import HELPED, HELPER, SERVICE_SCOPE, Hub
from tests.test_roles import ALLOWED, REASONS, ROLES

pytestmark = pytest.mark.hubs

# The roles of the table, and who has them here.
USERS = {
    "root": "admin",
    "maker": "maker",
    "kevin": "teacher",
    "tara": "tara",
    "lawrence": "lawrence",
    "other student": "other student",
    "stranger": "zoë@uni.example",
}
every_endpoint = pytest.mark.parametrize(
    "endpoint", ENDPOINTS, ids=lambda endpoint: f"{endpoint.method} {endpoint.path}"
)


@cache
def token_of(hub: Hub, role: str) -> str:
    user = USERS[role]
    hub.add_users(user)
    return hub.token(user, SERVICE_SCOPE).text


def make_course(hub: Hub, course: str) -> None:
    """A course with a teacher, two students and an assignment."""
    must(ask(hub, "POST", f"course/{course}", token_of(hub, "root"), instructors=f'["{USERS["kevin"]}"]'))
    for student in ("lawrence", "other student"):
        must(ask(hub, "POST", f"student/{course}/{student}", token_of(hub, "kevin"), **NAMES))
    must(ask(hub, "POST", f"grader/{course}/tara", token_of(hub, "kevin"), **NAMES))
    must(ask(hub, "POST", f"assignment/{course}/a", token_of(hub, "kevin"), files=FILES))


def call_of(hub: Hub, endpoint: Endpoint, course: str, token: str | None, **fields: str) -> Answer:
    path = endpoint.path.format(course=course, assignment="a", user="lawrence")
    return ask(hub, endpoint.method, path, token, **fields)


@every_endpoint
def test_every_role_against_every_endpoint(granting_hub: Hub, endpoint: Endpoint) -> None:
    course = f"course {ENDPOINTS.index(endpoint)}"
    make_course(granting_hub, course)
    # Those who are refused come first: who is allowed to may delete the course.
    for role in sorted(ROLES, key=lambda role: role in ALLOWED[endpoint.who]):
        # A name in the request counts in stand-alone mode only.
        for fields in ({"user": USERS["root"]}, {}):
            answer = call_of(granting_hub, endpoint, course, token_of(granting_hub, role), **fields)
            if role in ALLOWED[endpoint.who]:
                assert answer.status not in (302, 401, 403, 500, 503), (role, answer)
            else:
                assert (answer.status, answer.message) == (403, f"Permission denied {REASONS[endpoint.who]}"), role


@every_endpoint
def test_nobody_else_gets_past_the_door(granting_hub: Hub, endpoint: Endpoint) -> None:
    hub = granting_hub
    hub.add_users("admin", HELPED)
    nobodies = {
        "anonymous": None,
        "unknown token": "0" * 32,
        "a service": hub.tokens_of_services["outsider"],
        "a service called like a teacher": hub.tokens_of_services["teacher"],
        "the service itself": hub.tokens_of_services["ngshare"],
        "an admin's token for something else": hub.token("admin", "read:users:name!user=admin").text,
        "a token for somebody else's server": hub.token(HELPER, f"access:servers!server={HELPED}/").text,
    }
    for who, token in nobodies.items():
        answer = call_of(hub, endpoint, "no such course", token, user="admin")
        assert answer.status == 403, (who, answer)
        assert answer.body["success"] is False, (who, answer)
