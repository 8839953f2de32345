"""`ngshare-fs doctor` beside clocks that differ: it says by how much, and what that does to dates of assignments."""

import asyncio
import itertools
import os
import re
import shutil
import subprocess
import sys
import time
from email.utils import formatdate
from pathlib import Path
from typing import Any

import pytest

from ngshare_fs.check_result import clock_ahead, look_at_clock
from ngshare_fs.hub import HubClient
from ngshare_fs.hub.checkup import look_at_hub
from ngshare_fs.hub.client import date_ahead
from ngshare_fs.hub.watch import greet_hub
from tests import servers
from tests.durability.test_full_and_broken import Clock
from tests.fallible_hub import FallibleHub, user

PREFIX = "/services/ngshare/"
PATIENCE = 60


def assert_differs(line: str, seconds: int) -> None:
    """Look whether a line says about so much; less where this machine was slow, since that may have been meanwhile."""
    said = re.search(r"is ([0-9]+) s (ahead|behind)$", line)
    assert said, line
    assert said[2] == ("ahead" if seconds > 0 else "behind")
    assert abs(seconds) - PATIENCE < int(said[1]) <= abs(seconds)


@pytest.mark.parametrize(
    ("theirs", "width", "ahead"),
    [
        (100.0, 1, 0),  # asked at 100.5, answered at 102
        (101.0, 1, 0),
        (102.0, 1, 0),
        (99.0, 1, -0.5),
        (10.0, 1, -89.5),
        (112.0, 1, 10),
        (101.0, 0, 0),
        (100.0, 0, -0.5),
    ],
)
def test_a_clock_may_be_right_if_it_says_what_ours_said_meanwhile(theirs: float, width: float, ahead: float) -> None:
    assert clock_ahead(theirs, width, 100.5, 102.0) == ahead


def test_what_a_clock_does_to_dates_is_said() -> None:
    ahead, behind, right = (look_at_clock("clock", "theirs", seconds, 5) for seconds in (90.4, -7, 0))
    assert (ahead.ok, ahead.detail) == (False, "theirs is 90 s ahead")
    assert ahead.remedy.endswith("here 90 s late if this machine's is the wrong one")
    assert (behind.ok, behind.detail) == (False, "theirs is 7 s behind")
    assert behind.remedy.endswith("here 7 s early if this machine's is the wrong one")
    assert (right.ok, right.detail) == (True, "theirs agrees with this machine's")


def test_a_date_that_is_none_says_nothing() -> None:
    assert date_ahead(None, time.time()) is None
    assert date_ahead("yesterday", time.time()) is None
    assert date_ahead("Mon, 31 Feb 2026 10:00:00 GMT", time.time()) is None


@pytest.fixture
async def hub(aiohttp_server: Any) -> FallibleHub:
    hub = FallibleHub(owners={"own-token": user("ngshare", kind="service")})
    await hub.begin(aiohttp_server)
    return hub


@pytest.mark.parametrize("seconds", [600, -600, 0])
async def test_a_hub_with_another_clock_is_told(hub: FallibleHub, seconds: int) -> None:
    hub.date = lambda: formatdate(time.time() + seconds, usegmt=True)
    client = HubClient(hub.hub)
    try:
        found = await look_at_hub(client, hub.hub, PREFIX)
    finally:
        await client.close()
    (clock,) = [result for result in found if result.subject == "clock"]
    assert clock.ok is (seconds == 0)
    if seconds:
        assert_differs(clock.detail, seconds)


async def test_at_the_start_a_clock_that_is_wrong_is_said_once(
    hub: FallibleHub, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ngshare_fs.hub.watch.GREET_AGAIN_SECONDS", 0.001)
    monkeypatch.setattr("ngshare_fs.hub.watch.GREET_AGAIN_AT_LAST_SECONDS", 0.001)
    ahead = itertools.count(600)
    hub.date = lambda: formatdate(time.time() + next(ahead), usegmt=True)
    task = asyncio.create_task(greet_hub(hub.hub, PREFIX))
    while hub.greeted < 5:
        await asyncio.sleep(0)
    hub.date = None
    await task
    said = [record.getMessage() for record in caplog.records if record.levelname == "ERROR"]
    assert len(said) == 1
    assert said[0].startswith("clock: the hub's is ")


@pytest.mark.skipif(not shutil.which("cc"), reason="cc is missing: apt-get install gcc")
def test_a_machine_whose_clock_is_wrong_is_told_by_its_volume_and_by_the_server(tmp_path: Path) -> None:
    clock = Clock(tmp_path)
    clock.jump_to(600)
    with servers.running(tmp_path / "volume") as server:
        port = server.url.rpartition(":")[2].partition("/")[0]
        doctor = [sys.executable, "-m", "ngshare_fs", "doctor", "--standalone", "--data", str(tmp_path / "volume")]
        found = {}
        for name, environment in (("right", {}), ("wrong", clock.environment)):
            found[name] = subprocess.run(
                [*doctor, "--port", port],
                env={**os.environ, **environment},
                capture_output=True,
                text=True,
                timeout=PATIENCE,
            )
    assert (found["right"].returncode, found["wrong"].returncode) == (0, 1)
    assert "that of its file system agrees with this machine's" in found["right"].stdout
    wrong = [line for line in found["wrong"].stdout.splitlines() if line.startswith("WRONG")]
    assert [line.split()[1] for line in wrong] == ["volume", "service"]
    for line, said in zip(
        wrong, ("that of its file system", "answers, from this volume; the clock there"), strict=True
    ):
        assert said in line
        assert_differs(line, -600)
    assert re.search("closed by the clock of the server that is asked, here [0-9]+ s early if", found["wrong"].stdout)
