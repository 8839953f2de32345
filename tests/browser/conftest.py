"""A stand-alone server with a course in the middle of its term."""

from collections.abc import Iterator

import pytest

from ngshare_fs.web.frame.addresses import Addresses
from tests import servers
from tests.browser.example_course import ADMIN, COURSE, GRADER, INSTRUCTOR, STUDENT, fill
from tests.browser.walking import pages_reached
from tests.hubs.conftest import browser, chromium

__all__ = ["browser", "chromium"]

Reached = dict[tuple[str, str], str]
# Templates that show each role something else.
DIFFER = ("home", "course", "assignment")
# What a form leads to once it is sent.
AFTER_A_FORM = {"release_new"}


@pytest.fixture(scope="session")
def example(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a server whose volume tests of this folder only look at."""
    data = tmp_path_factory.mktemp("example") / "volume"
    fill(data)
    with servers.running(data) as server:
        yield server.url


@pytest.fixture(scope="session")
def reached(example: str) -> Reached:
    """The address of each page by who looks at it and its template; of those that all see alike, once."""
    found: Reached = {}
    for user in (STUDENT, GRADER, INSTRUCTOR, ADMIN):
        for page, address in pages_reached(example, user).items():
            is_new = page.template not in {template for _, template in found}
            if is_new or page.template in DIFFER:
                found[user, page.template] = address
    names = {"course": COURSE, "assignment": "new"}
    path = Addresses("", INSTRUCTOR)("pages/release-new/{course}/{assignment}", names)
    found[INSTRUCTOR, "release_new"] = example + path
    return found
