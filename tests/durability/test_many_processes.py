"""Several servers on one tree, one of them with two workers: together they behave like one that does one thing after
the other, whatever their clients do at once. What must hold is said in `models.py`."""

import random
import time
from contextlib import ExitStack, nullcontext
from pathlib import Path

import pytest

from tests.durability.random_clients import busy, prepare
from tests.durability.seen_and_stored import check, check_that_no_change_is_lost, check_that_old_readings_notice
from tests.rounds import rounds
from tests.servers import running, start
from tests.verifying import Verifying

pytestmark = pytest.mark.durability

SECONDS = rounds(10)


@pytest.mark.parametrize("round_number", range(rounds(1)))
@pytest.mark.parametrize("verifies", [False, pytest.param(True, marks=pytest.mark.long)])
def test_many_processes_behave_like_one(tmp_path: Path, round_number: int, verifies: bool) -> None:
    seed = random.SystemRandom().randrange(2**32)
    print(f"seed {seed}")  # shown where the test fails
    data = tmp_path / "data"
    with ExitStack() as stack:
        servers = [stack.enter_context(running(data, "--workers", "2"))]
        for number in range(2):
            server = start(data, tmp_path / f"server {number}.log")
            stack.callback(server.stop)
            servers.append(server)
        history = prepare(servers[0])
        check_that_no_change_is_lost(servers)
        check_that_old_readings_notice(servers)
        with busy(servers, seed, history), Verifying(data) if verifies else nullcontext() as verifying:
            time.sleep(SECONDS)
    print(f"{len(history)} operations")
    assert verifying is None or (verifying.rounds and not verifying.findings)
    check(history, data)
    assert list((data / ".ngshare/staging").iterdir()) == []
    for server in servers:
        assert "Traceback" not in server.log
