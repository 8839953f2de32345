"""Two servers, one on each mount, under clients that do anything at once; one of the servers is killed meanwhile."""

import os
import random
import time
from contextlib import ExitStack, suppress
from pathlib import Path

from tests.durability.random_clients import busy, prepare
from tests.durability.seen_and_stored import check, check_that_no_change_is_lost, check_that_old_readings_notice
from tests.servers import Server, start, writing_processes

SECONDS = 4
# Where changes take so long, those of two machines meet: on GlusterFS without locks, four of four runs lost some, and
# three of four where each client made one change.
TIMES = 2


def check_that_two_mounts_behave_like_one(here: Path, there: Path, logs: Path) -> None:
    """What all clients see can be explained by one order, and what was acknowledged is there.

    Args:
        here, there: the same volume, by way of either mount.
        logs: a folder for those of the servers.
    """
    seed = random.SystemRandom().randrange(2**32)
    print(f"seed {seed}")  # shown where the test fails
    with ExitStack() as stack:

        def serve(data: Path, name: str) -> Server:
            server = start(data, logs / name)
            stack.callback(server.stop)
            return server

        servers = [serve(here, "first.log"), serve(there, "second.log")]
        history = prepare(servers[0])
        check_that_no_change_is_lost(servers, TIMES)
        check_that_old_readings_notice(servers)
        with busy(servers, seed, history):
            time.sleep(SECONDS / 2)
            (alive,) = staging_of(servers[0].process.pid)
            pids = [servers[1].process.pid, *writing_processes(servers[1].process.pid)]
            dead = {staging for pid in pids for staging in staging_of(pid)}
            servers[1].kill_alone()
            assert "Traceback" not in servers[1].log
            assert dead
            assert dead <= set(all_staging(here))
            time.sleep(SECONDS / 4)
            servers[1] = serve(there, "third.log")
            time.sleep(SECONDS / 4)
        assert alive in all_staging(there)
        assert not dead & set(all_staging(here))
    print(f"{len(history)} operations")
    check(history, here, there)
    assert all_staging(there) == []
    for server in servers:
        assert "Traceback" not in server.log


def all_staging(data: Path) -> list[str]:
    """The folders of all processes."""
    return os.listdir(data / ".ngshare/staging")


def staging_of(process: int) -> set[str]:
    """The folder in staging that a process holds the lock of; none while it is just starting."""
    opened = set()
    for file in Path(f"/proc/{process}/fd").iterdir():
        with suppress(FileNotFoundError):  # closed since
            opened.add(Path(os.readlink(file)))
    return {path.stem for path in opened if path.name.startswith("process-")}
