"""Hubs that many tests share, and a browser."""

import shutil
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, asynccontextmanager
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, Error, Page, Response, async_playwright

from examples.environments import NotInstallable, proxy
from tests.hubs.environments import NEWEST, VERSIONS
from tests.hubs.hub import Hub, Plan, running_hub

# Nothing that a browser does on its own is wanted here, least of all on the network.
BROWSER_ARGUMENTS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
ACTION_SECONDS = 60

# Of the server: whose groups make them what.
GROUP_OPTIONS = (
    *("--instructor-groups", "formgrade-{course}"),
    *("--grader-groups", "{course}:tutor"),
    *("--student-groups", "nbgrader-{course}"),
)

StartHub = Callable[[Plan], Hub]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run what needs a hub on each version that is asked for."""
    if "version" in metafunc.fixturenames:
        versions = VERSIONS if metafunc.config.getoption("--long") else [NEWEST]
        metafunc.parametrize("version", versions, indirect=True, scope="session", ids=lambda version: f"hub{version}")


@pytest.fixture(scope="session")
def version(request: pytest.FixtureRequest) -> str:
    """The version of JupyterHub."""
    return str(request.param)


@pytest.fixture(scope="session")
def with_proxy() -> None:
    """Skip where a hub cannot run."""
    try:
        proxy()
    except NotInstallable as missing:
        pytest.skip(str(missing))


@pytest.fixture(scope="session")
def granting_hub(version: str, with_proxy: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    """A hub that lets its users use the service, and manages it; the service is in debug mode and forgets quickly."""
    folder = tmp_path_factory.mktemp("granting")
    options = ("--debug", "--auth-cache", "1", "--course-creators", "maker", *GROUP_OPTIONS)
    with running_hub(folder, Plan(version, options=options)) as hub:
        yield hub


@pytest.fixture(scope="session")
def plain_hub(version: str, with_proxy: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    """A hub below `/jh/` that grants nothing but what every hub does; the service runs beside it."""
    folder = tmp_path_factory.mktemp("plain")
    with running_hub(folder, Plan(version, base_url="/jh/", managed=False, granted=False)) as hub:
        yield hub


@pytest.fixture
def start_hub(version: str, with_proxy: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[StartHub]:
    """Starts hubs of this test's own, to be killed; they are of the version that is tried."""
    with ExitStack() as running:

        def start(plan: Plan) -> Hub:
            assert plan.version == version
            return running.enter_context(running_hub(tmp_path_factory.mktemp("own"), plan))

        yield start


# Chromium takes a second to start: it is one for all tests of a process, and so is their event loop.
with_a_browser = pytest.mark.asyncio(loop_scope="session")


@asynccontextmanager
async def launched(*names: str) -> AsyncIterator[Browser]:
    """Chromium, without a window; the test is skipped where it is not installed.

    Args:
        names: of its program; the first that is there will do.
    """
    program = next(filter(None, map(shutil.which, names)), None)
    if not program:
        pytest.skip(f"{names[-1]} is not installed: tools/system_packages.sh does it on Debian")
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Page, "goto", _gone_to_though_a_network_changes(Page.goto))
        async with async_playwright() as playwright:
            browser = await playwright.chromium.launch(executable_path=program, args=BROWSER_ARGUMENTS)
            yield browser
            await browser.close()


def _gone_to_though_a_network_changes(goto: Callable[..., Any]) -> Callable[..., Any]:
    """The same, once more where Chromium has given up because some network of the machine has changed.

    It does so on loopback, too. A virtual machine's network may change at any moment, whatever is tested.
    """

    async def going(page: Page, *arguments: Any, **options: Any) -> Response | None:
        try:
            response: Response | None = await goto(page, *arguments, **options)
        except Error as error:
            if "net::ERR_NETWORK_CHANGED" not in error.message:
                raise
            response = await goto(page, *arguments, **options)
        return response

    return going


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def chromium() -> AsyncIterator[Browser]:
    """The one that is built without windows, where it is installed: it takes half as much of the processor's time."""
    async with launched("chromium-headless-shell", "chromium") as browser:
        yield browser


@pytest_asyncio.fixture(loop_scope="session")
async def browser(chromium: Browser) -> AsyncIterator[Browser]:
    """The same; the profiles that a test makes end with it."""
    kept = set(chromium.contexts)
    yield chromium
    for profile in set(chromium.contexts) - kept:
        await profile.close()


@pytest_asyncio.fixture(loop_scope="session")
async def profile(browser: Browser) -> BrowserContext:
    """A browser's profile, with no cookies yet."""
    return await new_profile(browser)


async def new_profile(browser: Browser) -> BrowserContext:
    """Somebody else's browser, as far as cookies tell."""
    profile = await browser.new_context()
    profile.set_default_timeout(ACTION_SECONDS * 1000)
    return profile
