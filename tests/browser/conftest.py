"""A stand-alone server with a course in the middle of its term."""

from collections.abc import Iterator

import pytest

from tests import servers
from tests.browser.example_course import ADMIN, GRADER, INSTRUCTOR, STUDENT, fill
from tests.browser.walking import pages_reached
from tests.hubs.conftest import browser, chromium

__all__ = ["browser", "chromium"]

Reached = dict[tuple[str, str], str]


@pytest.fixture(scope="session")
def example(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a server whose volume tests of this folder only look at."""
    data = tmp_path_factory.mktemp("example") / "volume"
    fill(data)
    with servers.running(data) as server:
        yield server.url


@pytest.fixture(scope="session")
def reached(example: str) -> Reached:
    """The address of each page by who looks at it and its template."""
    return {
        (user, page.template): address
        for user in (STUDENT, GRADER, INSTRUCTOR, ADMIN)
        for page, address in pages_reached(example, user).items()
    }
