"""An exchange in the test's own process, and calls to it as its users make them."""

import asyncio
import dataclasses
import gc
import io
import json
import os
import signal
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from aiohttp import ClientResponse, web_app
from aiohttp.test_utils import TestClient
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from yarl import URL

from ngshare_fs.server.application import make_application
from ngshare_fs.settings import Settings, read_settings
from ngshare_fs.store import Volume
from tests import event_loop, rounds, servers
from tests.course_command import CourseCommand
from tests.waiting import PATIENCE

# The marks of tests that take long.
TAKES_LONG = ("durability", "hubs", "others", "kubernetes")
# Fixtures that take long to make: all tests with them run in one worker of pytest-xdist, where they are made once.
OF_ALL = ("granting_hub", "plain_hub", "start_hub", "image", "school")
OF_A_MODULE = ("served", "pair", "built", "example")
# The same, for each of the things that they are made of.
OF_A_KIND = ("shared",)
# Folders whose tests keep what they have rendered and loaded, or a server, for those that look at the same.
OF_A_FOLDER = ("chart", "browser")
# The short check writes to memory where there is enough of it: nobody waits for a disk, and writing takes less of the
# processor. The long one writes to the disk.
MEMORY, MEMORY_GIB = "/dev/shm", 4


@dataclass
class Answer:
    """What came back."""

    status: int
    body: dict[str, Any]
    headers: dict[str, str]

    @property
    def message(self) -> str:
        return str(self.body.get("message"))


@dataclass
class Exchange:
    """A served volume."""

    client: Any
    volume: Volume
    data: Path

    async def call(self, method: str, path: str, user: str | None = None, /, **fields: str) -> Answer:
        """Call an endpoint: `path` is written in plain text below the prefix, its segments separated by `/`.

        A GET and a DELETE send their fields in the query string, the others in the body.
        """
        segments = [quote(segment, safe="") for segment in path.split("/")]
        return await self.raw(method, "/".join(segments), user, **fields)

    async def raw(self, method: str, encoded: str, user: str | None = None, /, **fields: str) -> Answer:
        """The same with a path that is encoded already."""
        if user is not None:
            fields["user"] = user
        in_query = method in ("GET", "DELETE", "HEAD")
        form = urlencode(fields, errors="surrogatepass").encode()
        response: ClientResponse = await self.client.request(
            method,
            URL("/api/" + encoded, encoded=True).with_query(fields if in_query else None),
            data=None if in_query else io.BytesIO(form),
            headers=None if in_query else {"Content-Type": "application/x-www-form-urlencoded"},
        )
        body = await response.read()
        is_json = response.content_type == "application/json" and body
        return Answer(response.status, json.loads(body) if is_json else {"html": body.decode()}, dict(response.headers))

    def left_in_staging(self) -> list[str]:
        """What lies in the staging folder, the folders of the processes themselves left out."""
        return [str(path) for path in (self.data / ".ngshare/staging").glob("*/*")]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Options are known from the start only where this file defines them."""
    parser.addoption("--long", action="store_true", help="run everything that one machine can: tests marked `long` too")
    parser.addoption("--kubernetes", action="store_true", help="run what needs a Kubernetes node as well")


def has_room(place: str) -> bool:
    """Whether a folder in memory has room for all that tests leave there, and lets them run programs from it."""
    if not os.access(place, os.W_OK):
        return False
    status = os.statvfs(place)
    return status.f_bavail * status.f_frsize >= MEMORY_GIB * 2**30 and not status.f_flag & os.ST_NOEXEC


def pytest_configure(config: pytest.Config) -> None:
    """Let test modules know which check this is while they are imported."""
    rounds.ask_for(long=config.getoption("--long"))
    # On a busy machine, any example may take long.
    hypothesis_settings.register_profile(
        "check", max_examples=rounds.rounds(100), deadline=None, suppress_health_check=[HealthCheck.too_slow]
    )
    hypothesis_settings.load_profile("check")
    if not config.getoption("--long") and has_room(MEMORY):
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", MEMORY)  # where pytest's folders are, and those of its workers
    # What a shell's script runs in the background is deaf to Ctrl-C, what `nohup` runs to a terminal that is closed: so
    # would be all that the tests start.
    for number, handler in ((signal.SIGINT, signal.default_int_handler), (signal.SIGHUP, signal.SIG_DFL)):
        if signal.getsignal(number) == signal.SIG_IGN:
            signal.signal(number, handler)


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """Twice as many as there are processors: the tests wait for servers half of the time; those of --long wait more."""
    processors = len(os.sched_getaffinity(0))
    return 5 * processors // 2 if config.getoption("--long") else 2 * processors


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what was not asked for, and keep those together that share what takes seconds to make."""
    not_asked_for = [mark for mark in ("long", "kubernetes") if not config.getoption(f"--{mark}")]
    kept: list[pytest.Item] = []
    left_out: list[pytest.Item] = []
    for item in items:
        (left_out if any(item.get_closest_marker(mark) for mark in not_asked_for) else kept).append(item)
    if left_out:
        config.hook.pytest_deselected(items=left_out)
    for item in kept:
        if isinstance(item, pytest.Function):
            version = item.callspec.params.get("version", "") if hasattr(item, "callspec") else ""
            groups = [folder for folder in OF_A_FOLDER if item.path.parent.name == folder]
            groups += [f"{fixture}{version}" for fixture in OF_ALL if fixture in item.fixturenames]
            groups += [
                f"{fixture} {item.callspec.params[fixture]}" for fixture in OF_A_KIND if fixture in item.fixturenames
            ]
            groups += [f"{fixture} of {item.path.stem}" for fixture in OF_A_MODULE if fixture in item.fixturenames]
            for group in groups[:1]:  # of several, pytest-xdist would make another one
                item.add_marker(pytest.mark.xdist_group(group))
    # What takes longest comes first, each alone or one after the other: at the end no worker is left alone with it.
    first = (*TAKES_LONG, "xdist_group", "long")
    items[:] = sorted(kept, key=lambda item: not any(item.get_closest_marker(mark) for mark in first))


def pytest_collection_finish(session: pytest.Session) -> None:
    """Keep the collector from the tests; fail where groups of them are not kept together.

    What takes long to make would be made in each worker, unnoticed.
    """
    # All tests and their modules, 250 MiB, live until the end: the collector of garbage would go through them again and
    # again, half a second each time, and each fork would copy them, since it writes to whatever it goes through.
    gc.collect()
    gc.freeze()
    if not getattr(session.config.option, "loadgroup", False):
        return
    # In a worker, pytest-xdist has written the group behind the name.
    apart = [item for item in session.items if item.get_closest_marker("xdist_group") and "@" not in item.nodeid]
    if apart:
        raise pytest.UsageError(f"this pytest-xdist keeps no groups together with this pytest: {apart[0].nodeid}")


MakeExchange = Callable[..., Awaitable[Exchange]]


@pytest.fixture(autouse=True)
def nobody_blocks_the_event_loop(request: pytest.FixtureRequest) -> Iterator[None]:
    """Where the application runs in the test's process, a call that blocks its event loop fails the test."""
    if "aiohttp_client" not in request.fixturenames:
        yield
        return
    blocked: list[str] = []
    with event_loop.watched(blocked.append):
        yield
    assert not blocked, "\n".join(blocked)


@pytest.fixture(autouse=True)
def nobody_remembers_applications() -> Iterator[None]:
    """Let go of them: aiohttp keeps the last 1,024, a GiB with all that they hold, which each fork would copy."""
    yield
    web_app._cached_build_middleware.cache_clear()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Stand-alone, `root` is an admin."""
    flags: dict[str, str | list[str] | bool] = {
        "standalone": True,
        "data": str(tmp_path / "volume"),
        "admins": "root",
        "debug": True,
    }
    return read_settings(flags, {})


async def until(condition: Callable[[], object], what: str = "it") -> None:
    """Wait for what happens in its own time, but not for ever."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, f"within {PATIENCE} s did not happen: {what}"
        await asyncio.sleep(0.01)


@pytest.fixture
def opened_volumes() -> Iterator[list[Volume]]:
    """Volumes that are closed in the end, after the servers that use them."""
    opened: list[Volume] = []
    yield opened
    for volume in opened:
        volume.close()


@pytest.fixture
async def make_exchange(opened_volumes: list[Volume], aiohttp_client: Any, settings: Settings) -> MakeExchange:
    """Makes an exchange with other settings; keyword arguments are fields of `Settings`."""

    async def make(**changes: Any) -> Exchange:
        changed = dataclasses.replace(settings, **changes)
        volume = Volume.open(changed.data)
        opened_volumes.append(volume)
        client: TestClient[Any, Any] = await aiohttp_client(make_application(volume, changed))
        return Exchange(client, volume, changed.data)

    return make


@pytest.fixture
async def exchange(make_exchange: MakeExchange) -> Exchange:
    """An exchange in debug mode."""
    return await make_exchange()


@pytest.fixture
async def taught(exchange: Exchange) -> Exchange:
    """The same with a course `c`: instructor `kevin`, student `lawrence`, assignment `a`."""
    assert (await exchange.call("POST", "course/c", "root", instructors='["kevin"]')).status == 200
    names = {"first_name": "L", "last_name": "", "email": "l@x"}
    assert (await exchange.call("POST", "student/c/lawrence", "kevin", **names)).status == 200
    files = '[{"path": "p.ipynb", "content": "e30K"}]'
    assert (await exchange.call("POST", "assignment/c/a", "kevin", files=files)).status == 200
    return exchange


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[servers.Server]:
    """A stand-alone server in debug mode, in a process of its own, for all tests of a module."""
    with servers.running(tmp_path_factory.mktemp("served") / "volume", "--debug") as server:
        yield server


@pytest.fixture
def course(
    served: servers.Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> CourseCommand:
    """`ngshare-fs course`, with one course, on that server."""
    return CourseCommand(served, tmp_path, monkeypatch, capsys)
