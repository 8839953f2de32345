"""Several workers: replaced one by one without a lost request, and when they die or hang."""

import os
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tests.impatient_supervisor import SILENT_LOOKS
from tests.rounds import rounds
from tests.servers import REPOSITORY, Server, children_of, running, runs, writing_processes
from tests.serving import (
    LAST_REQUEST,
    PATIENCE,
    Load,
    SlowUpload,
    address,
    exchange,
    get,
    refused,
    said,
    serving,
    until,
)

HANGS_WHEN_TOLD = """
import os
import threading
import time

from ngshare_fs.server import access_log

real = access_log.log_request


def hang_at_a_look(*arguments):
    if os.path.exists(os.environ["HANGS_WHERE_THIS_IS"]):
        os.unlink(os.environ["HANGS_WHERE_THIS_IS"])
        time.sleep(1000)
    real(*arguments)


access_log.log_request = hang_at_a_look
"""


def test_a_restart_loses_no_request(tmp_path: Path) -> None:
    with exchange(tmp_path, 2) as server:
        before = serving(server)
        with Load(server) as load:
            load.progress()
            for round_number in range(rounds(2)):
                server.process.send_signal(signal.SIGHUP)
                said(server, " serves\n", 2 * (2 + round_number))
                load.progress()
        assert load.lost == []
        until(lambda: not any(map(runs, before)), "the end of the old workers", server)
        assert get(server, "courses?user=root") == 200
        assert server.stop() == 0
        assert "Traceback" not in server.log


@pytest.mark.long
def test_a_restart_finishes_uploads_under_way(tmp_path: Path) -> None:
    with exchange(tmp_path, 2) as server:
        upload = SlowUpload(server)
        server.process.send_signal(signal.SIGHUP)
        said(server, "finishing the requests under way")
        assert upload.finish()[0] == 200
        assert get(server, "courses?user=root") == 200


def test_a_stop_while_all_workers_start_answers_who_is_in_the_queue(tmp_path: Path) -> None:
    with exchange(tmp_path, 2) as server:
        for worker in serving(server):
            os.kill(worker, signal.SIGKILL)
        said(server, "ended unasked", 2)
        connection = socket.create_connection(address(server), timeout=PATIENCE)
        connection.sendall(LAST_REQUEST)
        until(lambda: len(children_of(server.process.pid)) == 2, "the start of others", server)
        server.process.terminate()
        assert connection.recv(12, socket.MSG_WAITALL) == b"HTTP/1.1 200"
        connection.close()
        assert server.process.wait(PATIENCE) == 0


def test_a_restart_takes_the_new_configuration_and_refuses_a_wrong_one(tmp_path: Path) -> None:
    config = tmp_path / "ngshare.yaml"
    config.write_text("max-files: 100\n")
    with exchange(tmp_path, 2, "--config", str(config)) as server:
        config.write_text("max-flies: 100\n")
        server.process.send_signal(signal.SIGHUP)
        said(server, "no restart, it would fail")
        assert "'max-flies' is no option; did you mean max-files?" in server.log
        assert get(server, "courses?user=root") == 200
        config.write_text("prefix: /new/\n")
        server.process.send_signal(signal.SIGHUP)
        old = server.url
        server.url = server.url.replace("/api/", "/new/")
        until(lambda: get(server, "courses?user=root") == 200, "the new prefix", server)
        server.url = old
        until(lambda: get(server, "courses?user=root") == 404, "the end of the old prefix", server)


@pytest.mark.long
def test_the_old_workers_serve_on_where_new_ones_do_not_start(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    layout = tmp_path / "data" / "ngshare.yaml"
    with exchange(tmp_path, 2) as server:
        good = layout.read_text()
        layout.write_text("layout: 99999\n")
        server.process.send_signal(signal.SIGHUP)
        said(server, "the old ones serve on")
        assert get(server, "courses?user=root") == 200
        layout.write_text(good)
        server.process.send_signal(signal.SIGHUP)
        said(server, " serves\n", 4)


@pytest.mark.long
def test_who_asks_twice_for_a_restart_that_fails_keeps_the_configuration_that_serves(tmp_path: Path) -> None:
    """The second time, while what was asked for first is still being tried."""
    config = tmp_path / "ngshare.yaml"
    config.write_text("prefix: /old/\n")
    layout = tmp_path / "data" / "ngshare.yaml"
    with exchange(tmp_path, 2, "--config", str(config)) as server:
        before, good = serving(server), layout.read_text()
        config.write_text("prefix: /new/\n")
        layout.write_text("layout: 99999\n")
        for times in (1, 2):
            server.process.send_signal(signal.SIGHUP)
            said(server, "restarting", times)
        said(server, "the old ones serve on")
        layout.write_text(good)
        for killed, worker in enumerate(before, 1):
            os.kill(worker, signal.SIGKILL)
            until(lambda: len(serving(server)) == 2 + killed, "the start of another one", server)  # noqa: B023
        assert get(server, "courses?user=root") == 200


@pytest.mark.long
def test_workers_may_become_more_and_fewer(tmp_path: Path) -> None:
    config = tmp_path / "ngshare.yaml"
    config.write_text("workers: 2\n")
    with running(tmp_path / "data", "--config", str(config)) as server:
        said(server, " serves\n", 2)
        for workers in (3, 2, 1):
            config.write_text(f"workers: {workers}\n")
            known = len(serving(server))
            server.process.send_signal(signal.SIGHUP)
            until(lambda: len(serving(server)) == known + workers, f"the start of {workers} workers", server)  # noqa: B023
            current = serving(server)[-workers:]
            until(lambda: sum(map(runs, serving(server))) == workers, "the end of the rest", server)  # noqa: B023
            assert all(map(runs, current))
            assert get(server, "courses?user=root") == 200


@pytest.mark.long
def test_a_worker_that_dies_is_replaced(tmp_path: Path) -> None:
    with exchange(tmp_path, 2) as server:
        os.kill(serving(server)[0], signal.SIGKILL)
        said(server, "ended unasked (signal SIGKILL)")
        until(lambda: len(serving(server)) == 3, "the start of another worker", server)
        assert get(server, "courses?user=root") == 200


def test_what_a_dead_worker_has_started_is_collected(tmp_path: Path) -> None:
    """In a container, a crash after the other would take up all the processes that it may have."""
    with exchange(tmp_path, 2, module="tests.adopting_supervisor") as server:
        killed = serving(server)[0]
        until(lambda: writing_processes(killed), "a process that writes", server)
        left = [*children_of(killed), *writing_processes(killed)]
        os.kill(killed, signal.SIGKILL)
        until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in left), "the collection of what it left", server)
        until(lambda: len(serving(server)) == 3, "the start of another worker", server)


def test_a_worker_is_replaced_by_one_with_the_same_configuration(tmp_path: Path) -> None:
    """Until SIGHUP nobody acts on what somebody writes into the file; nor after one that was refused."""
    config = tmp_path / "ngshare.yaml"
    config.write_text("prefix: /old/\n")
    layout = tmp_path / "data" / "ngshare.yaml"
    with exchange(tmp_path, 2, "--config", str(config)) as server:
        config.write_text("max-flies: 100\n")
        for killed, worker in enumerate(serving(server), 1):
            os.kill(worker, signal.SIGKILL)
            until(lambda: len(serving(server)) == 2 + killed, "the start of another one", server)  # noqa: B023
        assert get(server, "courses?user=root") == 200
        config.write_text("prefix: /new/\n")
        good = layout.read_text()
        layout.write_text("layout: 99999\n")
        server.process.send_signal(signal.SIGHUP)
        said(server, "the old ones serve on")
        layout.write_text(good)
        for killed, worker in enumerate(serving(server)[2:], 3):
            os.kill(worker, signal.SIGKILL)
            until(lambda: len(serving(server)) == 2 + killed, "the start of another one", server)  # noqa: B023
        assert get(server, "courses?user=root") == 200


def test_nothing_is_left_when_the_supervisor_is_killed(tmp_path: Path) -> None:
    with exchange(tmp_path, 2) as server:
        workers = serving(server)
        upload = SlowUpload(server)
        server.process.kill()
        until(lambda: refused(server), "the end of listening", server)
        assert upload.finish()[0] == 200
        until(lambda: not any(map(runs, workers)), "the end of the workers", server)


@pytest.mark.long
def test_a_worker_whose_supervisor_is_killed_while_it_starts_ends_in_order(tmp_path: Path) -> None:
    with exchange(tmp_path, 2) as server:
        for worker in serving(server):
            os.kill(worker, signal.SIGKILL)
        said(server, "ended unasked", 2)
        until(lambda: len(children_of(server.process.pid)) == 2, "the start of others", server)
        workers = children_of(server.process.pid)
        server.process.kill()
        until(lambda: not any(map(runs, workers)), "the end of the workers", server)
        assert server.log.count("the supervisor is gone: this worker ends too") == 2
        assert server.log.count(" stopped\n") == 2
        assert "Traceback" not in server.log
        assert os.listdir(tmp_path / "data/.ngshare/staging") == []


@contextmanager
def impatient(tmp_path: Path) -> Iterator[Server]:
    """An exchange whose supervisor gives a worker up after a few silent looks."""
    with exchange(tmp_path, 2, module="tests.impatient_supervisor") as server:
        try:
            yield server
        finally:
            for pid in (server.process.pid, *children_of(server.process.pid)):
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGCONT)


def test_a_worker_that_hangs_is_replaced_and_the_other_serves_meanwhile(tmp_path: Path) -> None:
    with impatient(tmp_path) as server:
        hanging, well = serving(server)
        os.kill(hanging, signal.SIGSTOP)
        # What the kernel queues for the one that hangs stays in the socket's queue, which the other one empties.
        while len(serving(server)) == 2:
            assert get(server, "courses?user=root") == 200
        until(lambda: not runs(hanging), "the end of the one that hangs", server)
        assert f"worker {hanging} hangs" in server.log
        assert f"worker {well} hangs" not in server.log
        assert runs(well)
        assert server.stop() == 0


@pytest.mark.long
def test_the_log_shows_where_a_worker_hangs(tmp_path: Path) -> None:
    """Its event loop waits for what a thread ought to wait for."""
    (tmp_path / "sitecustomize.py").write_text(HANGS_WHEN_TOLD)
    hangs = tmp_path / "hangs"
    environment = {"PYTHONPATH": f"{tmp_path}:{REPOSITORY}", "HANGS_WHERE_THIS_IS": str(hangs)}
    with exchange(tmp_path, 2, module="tests.impatient_supervisor", **environment) as server:
        before = serving(server)
        hangs.touch()
        with socket.create_connection(address(server), timeout=PATIENCE) as connection:
            connection.sendall(LAST_REQUEST)
            until(lambda: not hangs.exists(), "the hang", server)
            said(server, "in hang_at_a_look")
            until(lambda: len(serving(server)) == 3, "the start of another one", server)
        until(lambda: sum(map(runs, before)) == 1, "the end of the one that hung", server)
        assert server.stop() == 0


@pytest.mark.long
@pytest.mark.parametrize("whom", ["supervisor", "all"])
def test_who_was_stopped_together_with_the_supervisor_does_not_hang(tmp_path: Path, whom: str) -> None:
    """As a suspended machine or a paused container: the supervisor goes on first, and has heard nothing for long."""
    with impatient(tmp_path) as server:
        before = serving(server)
        stopped = [server.process.pid, *(before if whom == "all" else [])]
        for pid in stopped:
            os.kill(pid, signal.SIGSTOP)
        time.sleep(2 * SILENT_LOOKS)
        for pid in stopped:
            os.kill(pid, signal.SIGCONT)
        time.sleep(2)  # some looks
        assert " hangs" not in server.log
        assert serving(server) == before
        assert get(server, "courses?user=root") == 200
        assert server.stop() == 0


@pytest.mark.long
def test_a_worker_that_takes_its_time_to_end_does_not_hang(tmp_path: Path) -> None:
    with impatient(tmp_path) as server:
        upload = SlowUpload(server)
        server.process.terminate()
        said(server, "finishing the requests under way", 2)
        time.sleep(2 * SILENT_LOOKS)
        assert upload.finish()[0] == 200
        assert server.process.wait(PATIENCE) == 0
        assert " hangs" not in server.log
