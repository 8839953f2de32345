"""Roles by groups of real hubs: they change while tokens and browsers are in use, and outlive a hub that is down."""

import asyncio
import json
import time
from collections.abc import Callable
from functools import partial

import pytest
from playwright.async_api import BrowserContext

from tests.hubs.client import Answer
from tests.hubs.conftest import GROUP_OPTIONS, StartHub, with_a_browser
from tests.hubs.exchange import FILES, ask, ask_at, must
from tests.hubs.hub import SERVICE_SCOPE, Hub, Plan
from tests.hubs.visitor import signed_in

pytestmark = pytest.mark.hubs

# What the server forgets after a second, by its options; a request and a busy machine take their time, too.
SOON_SECONDS = 30.0
GROUPS = 200


def until(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + SOON_SECONDS
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.05)


def token_of(hub: Hub, user: str) -> str:
    hub.add_users(user)
    return hub.token(user, SERVICE_SCOPE).text


def make_course(hub: Hub, name: str) -> None:
    """A course without anybody."""
    must(ask(hub, "POST", f"course/{name}", token_of(hub, "admin")))


def sees(hub: Hub, token: str, course: str) -> bool:
    return bool(must(ask(hub, "GET", "courses", token))["courses"] == [course])


def names_in(answer: Answer, key: str) -> list[str]:
    return [each["username"] for each in must(answer)[key]]


def test_a_course_is_kept_by_groups(granting_hub: Hub) -> None:
    hub, name = granting_hub, "kept by groups"
    make_course(hub, name)
    teacher, tutor, student = (token_of(hub, f"{role} by group") for role in ("teacher", "tutor", "student"))
    for token in (teacher, tutor, student):
        assert must(ask(hub, "GET", "courses", token))["courses"] == []
    hub.join("teacher by group", f"formgrade-{name}")
    hub.join("tutor by group", f"{name}:tutor")
    hub.join("student by group", f"nbgrader-{name}")
    # The tokens are the same as before; their owners are in the course a second later.
    for token in (teacher, tutor, student):
        until(partial(sees, hub, token, name), "they see the course")
    must(ask(hub, "POST", f"assignment/{name}/a", teacher, files=FILES))
    handed_in = must(ask(hub, "POST", f"submission/{name}/a", student, files=FILES))
    until(lambda: names_in(ask(hub, "GET", f"students/{name}", tutor), "students") == ["student by group"], "noted")
    assert ask(hub, "DELETE", f"assignment/{name}/a", tutor).status == 403

    hub.leave("student by group", f"nbgrader-{name}")
    until(lambda: ask(hub, "GET", f"assignments/{name}", student).status == 403, "whoever left is out")
    assert must(ask(hub, "GET", "courses", student))["courses"] == []
    assert ask(hub, "POST", f"submission/{name}/a", student, files=FILES).status == 403
    # What was handed in stays, is listed and is collected.
    (listed,) = must(ask(hub, "GET", f"submissions/{name}/a", tutor))["submissions"]
    assert listed == {"student_id": "student by group", "timestamp": handed_in["timestamp"]}
    collected = ask(hub, "POST", f"collection/{name}/a", tutor).text.splitlines()
    assert json.loads(collected[0])["student_id"] == "student by group"

    hub.join("student by group", f"{name}:tutor")
    until(lambda: ask(hub, "GET", f"students/{name}", student).status == 200, "a grader by now")
    graders = {"student by group", "tutor by group"}
    until(lambda: set(names_in(ask(hub, "GET", f"graders/{name}", teacher), "graders")) == graders, "the entry moves")
    assert names_in(ask(hub, "GET", f"students/{name}", teacher), "students") == []


@pytest.mark.long
def test_a_running_server_of_a_user_is_in_their_groups(granting_hub: Hub) -> None:
    hub, name = granting_hub, "of a server"
    make_course(hub, name)
    hub.add_users("runs")
    token = hub.start_server("runs")
    assert ask(hub, "GET", f"assignments/{name}", token).status == 403
    hub.join("runs", f"nbgrader-{name}")
    until(lambda: ask(hub, "GET", f"assignments/{name}", token).status == 200, "let in")
    hub.leave("runs", f"nbgrader-{name}")
    until(lambda: ask(hub, "GET", f"assignments/{name}", token).status == 403, "and out")
    hub.stop_server("runs")


@with_a_browser
async def test_groups_change_under_a_browsers_session(granting_hub: Hub, profile: BrowserContext) -> None:
    hub, name = granting_hub, "in a browser"
    make_course(hub, name)
    await signed_in(profile, hub, "visitor")
    page = await profile.new_page()
    await page.goto(hub.url)

    async def shows(text: str) -> None:
        deadline = time.monotonic() + SOON_SECONDS
        while text not in await page.inner_text("#courses"):
            assert time.monotonic() < deadline, text
            await asyncio.sleep(0.3)
            await page.reload()

    await shows("None yet")
    hub.join("visitor", f"nbgrader-{name}")
    await shows("student")
    hub.join("visitor", f"{name}:tutor")
    await shows("grader")
    hub.leave("visitor", f"nbgrader-{name}", f"{name}:tutor")
    await shows("None yet")


@pytest.mark.long
def test_a_user_in_200_groups(granting_hub: Hub) -> None:
    hub, name = granting_hub, "one of many"
    make_course(hub, name)
    student = token_of(hub, "joins all")
    hub.join("joins all", *(f"nbgrader-{number}" for number in range(GROUPS - 1)), f"nbgrader-{name}")
    until(lambda: ask(hub, "GET", f"assignments/{name}", student).status == 200, "let in")
    assert must(ask(hub, "GET", "courses", student))["courses"] == [name]

    def seconds() -> float:
        begun = time.monotonic()
        must(ask(hub, "GET", f"assignments/{name}", student))
        return time.monotonic() - begun

    assert min(seconds() for _ in range(5)) < 2  # one alone may meet a machine that is busy


@pytest.mark.long
def test_groups_outlive_a_hub_that_is_down_for_the_time_of_grace(start_hub: StartHub, version: str) -> None:
    options = ("--auth-cache", "1", "--auth-grace", "12", *GROUP_OPTIONS)
    hub, name = start_hub(Plan(version, managed=False, options=options)), "without its hub"
    make_course(hub, name)
    student = token_of(hub, "stays")
    hub.join("stays", f"nbgrader-{name}")
    until(lambda: ask(hub, "GET", f"assignments/{name}", student).status == 200, "let in")

    def status() -> int:
        return ask_at(hub.direct_url, "GET", f"assignments/{name}", student).status  # the proxy ends with the hub

    begun = time.monotonic()
    hub.kill()
    while time.monotonic() - begun < 4:
        assert status() == 200
        time.sleep(0.05)
    until(lambda: status() == 503, "nobody is believed for ever")
    assert time.monotonic() - begun >= 6
    hub.start()
    until(lambda: status() == 200, "the hub is back, and the groups with it")
    hub.leave("stays", f"nbgrader-{name}")
    until(lambda: status() == 403, "whoever left is out")


def test_whoever_may_make_courses(granting_hub: Hub) -> None:
    hub = granting_hub
    maker = token_of(hub, "maker")
    must(ask(hub, "POST", "course/made by a maker", maker))
    assert must(ask(hub, "GET", "courses", maker))["courses"] == ["made by a maker"]
    assert ask(hub, "DELETE", "course/made by a maker", maker).status == 403
