"""What signals do to a server, and that a stop loses no request: one process and several, under load."""

import os
import pty
import resource
import shlex
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.servers import Server, running
from tests.serving import (
    LAST_REQUEST,
    PATIENCE,
    SlowUpload,
    address,
    exchange,
    get,
    one_and_several,
    refused,
    said,
    serving,
    several_in_the_long_check,
    until,
)


def test_more_connections_are_asked_for_than_systems_give_by_default(tmp_path: Path) -> None:
    limited = tmp_path / "python"
    limited.write_text(f'#!/bin/sh\nulimit -Sn 256\nexec {shlex.quote(sys.executable)} "$@"\n')
    limited.chmod(0o755)
    with running(tmp_path / "data", python=str(limited)) as server:
        limits = Path(f"/proc/{server.process.pid}/limits").read_text()
    allowed = next(line for line in limits.splitlines() if line.startswith("Max open files")).split()[3]
    assert int(allowed) == min(resource.getrlimit(resource.RLIMIT_NOFILE)[1], 65536)


@one_and_several
@pytest.mark.parametrize("number", [signal.SIGTERM, pytest.param(signal.SIGINT, marks=pytest.mark.long)])
def test_a_stop_finishes_uploads_under_way(tmp_path: Path, workers: int, number: signal.Signals) -> None:
    with exchange(tmp_path, workers) as server:
        uploads = [SlowUpload(server) for _ in range(4)]
        server.process.send_signal(number)
        until(lambda: refused(server), "the end of listening", server)
        answers = [upload.finish() for upload in uploads]
        assert [status for status, _ in answers] == [200] * 4
        assert all("\r\nConnection: close\r\n" in text for _, text in answers)
        assert server.process.wait(PATIENCE) == 0
        assert "Traceback" not in server.log


@one_and_several
def test_a_connection_made_before_the_stop_is_answered(tmp_path: Path, workers: int) -> None:
    with exchange(tmp_path, workers) as server:
        connections = [socket.create_connection(address(server), timeout=PATIENCE) for _ in range(20)]
        server.process.terminate()
        for connection in connections:
            connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        for connection in connections:
            answer = b""
            while part := connection.recv(65536):
                answer += part
            connection.close()
            assert answer.startswith(b"HTTP/1.1 200 ")
        assert server.process.wait(PATIENCE) == 0


@several_in_the_long_check
def test_a_stop_in_a_rush_answers_whoever_it_has_accepted(tmp_path: Path, workers: int) -> None:
    """Who comes at the very end is refused or, rarely, reset before an answer has begun, and may ask again."""

    def ask_until_refused(server: Server) -> list[str]:
        answers: list[str] = []
        while True:
            try:
                with socket.create_connection(address(server), timeout=PATIENCE) as connection:
                    connection.sendall(LAST_REQUEST)
                    answers.append(connection.recv(12, socket.MSG_WAITALL).decode())
            except ConnectionRefusedError:
                return answers
            except ConnectionError as error:
                answers.append(repr(error))

    total: Counter[str] = Counter()
    for _ in range(4):
        # Probes that are answered well are in the log with --debug only.
        with exchange(tmp_path, workers, "--debug") as server, ThreadPoolExecutor(24) as clients:
            asking = [clients.submit(ask_until_refused, server) for _ in range(24)]
            until(lambda: server.log.count("GET /healthz 200") > 200, "the rush", server)
            server.process.terminate()
            total += Counter(answer for client in asking for answer in client.result())
            assert server.process.wait(PATIENCE) == 0
    reset = sum(count for answer, count in total.items() if answer.startswith("ConnectionResetError"))
    assert total["HTTP/1.1 200"] + reset == total.total(), total
    # Mostly none. But where the processor is taken from the server at the wrong moment, it may be all 24 clients of one
    # stop; where the queue is thrown away, it is some twenty of them at each.
    assert reset <= 36, total


@several_in_the_long_check
def test_a_stop_waits_no_longer_than_it_was_told(tmp_path: Path, workers: int) -> None:
    with exchange(tmp_path, workers, "--drain-seconds", "1") as server:
        upload = SlowUpload(server)
        assert server.stop() == 0
        assert "1 connections cut off" in server.log
        assert f"POST {urlsplit(server.url).path}submission/course1/challenge 499" in server.log
        upload.socket.close()


@several_in_the_long_check
def test_a_second_interrupt_ends_at_once(tmp_path: Path, workers: int) -> None:
    with exchange(tmp_path, workers) as server:
        upload = SlowUpload(server)
        server.process.send_signal(signal.SIGINT)
        said(server, "finishing the requests under way")
        server.process.send_signal(signal.SIGINT)
        assert server.process.wait(PATIENCE) == 0
        upload.socket.close()


def test_ctrl_c_in_a_terminal_reaches_all_processes_and_is_quiet(tmp_path: Path) -> None:
    with exchange(tmp_path, 2) as server:
        for pid in (server.process.pid, *serving(server)):
            os.kill(pid, signal.SIGINT)
        assert server.process.wait(PATIENCE) == 0
        assert "Traceback" not in server.log


# A file system that hangs is a named pipe here, whose opener is made to wait. The server itself would not: see
# `plain_file`.
OPENING_WAITS = """
import os
import stat

real = os.open


def waiting(path, flags, *arguments, **named):
    if os.path.exists(path) and stat.S_ISFIFO(os.stat(path).st_mode):
        with open(os.environ["SAYS_THAT_IT_WAITS"], "w"):
            flags &= ~os.O_NONBLOCK
    return real(path, flags, *arguments, **named)


os.open = waiting
"""


def beginning_with(code: str, tmp_path: Path) -> dict[str, str]:
    """The environment of a process that runs this before anything else."""
    (tmp_path / "sitecustomize.py").write_text(code)
    return {"PYTHONPATH": str(tmp_path)}


def slow_to_open(tmp_path: Path) -> dict[str, str]:
    """The environment of a process that waits at named pipes, and has made `waits` by then."""
    return {**beginning_with(OPENING_WAITS, tmp_path), "SAYS_THAT_IT_WAITS": str(tmp_path / "waits")}


def test_what_hangs_in_the_file_system_holds_up_no_stop(tmp_path: Path) -> None:
    roster = tmp_path / "data/courses/course1/course.yaml"
    with exchange(tmp_path, 1, "--drain-seconds", "1", **slow_to_open(tmp_path)) as server:
        roster.unlink()
        os.mkfifo(roster)
        hanging = socket.create_connection(address(server), timeout=PATIENCE)
        path = urlsplit(server.url).path + "students/course1?user=kevin"
        hanging.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        until((tmp_path / "waits").exists, "the wait", server)
        server.process.terminate()
        said(server, "1 connections cut off")
        server.process.terminate()  # nothing more can be done, but nothing less either
        assert server.process.wait(PATIENCE) == 1
        assert "stopped without an end of what hangs in the file system" in server.log
        hanging.close()


@pytest.mark.long
def test_a_volume_that_cannot_be_opened_holds_up_no_stop(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    os.mkfifo(tmp_path / "data/ngshare.yaml")
    log = tmp_path / "log"
    command = [
        sys.executable,
        "-m",
        "ngshare_fs",
        "serve",
        "--standalone",
        "--port",
        "0",
        "--data",
        str(tmp_path / "data"),
    ]
    with (
        log.open("wb") as output,
        subprocess.Popen(command, stderr=output, env={**os.environ, **slow_to_open(tmp_path)}) as process,
    ):
        server = Server("", process, log)
        try:
            until((tmp_path / "waits").exists, "the wait", server)
            started = time.monotonic()
            process.terminate()
            assert process.wait(PATIENCE) == 1
            assert time.monotonic() - started > 5, "it is given some time"
        finally:
            process.kill()
        assert "stopped without an end of what hangs in the file system" in server.log


# A thread that is there from the first to the last, and takes what nobody else takes.
THREAD = """
import threading
import time

threading.Thread(target=time.sleep, args=(3600,), daemon=True).start()
"""


@one_and_several
@pytest.mark.parametrize("number", [signal.SIGTERM, pytest.param(signal.SIGINT, marks=pytest.mark.long)])
@pytest.mark.parametrize("busy", [True, pytest.param(False, marks=pytest.mark.long)])
def test_signals_without_end_end_it_in_order(tmp_path: Path, workers: int, number: signal.Signals, busy: bool) -> None:
    """At no moment of the end is one obeyed in another way than by a stop, whichever thread gets it."""
    environment = beginning_with(THREAD, tmp_path) if busy else {}
    with exchange(tmp_path, workers, **environment) as server:
        while server.process.poll() is None:
            server.process.send_signal(number)
            time.sleep(0.0005)
        assert server.process.returncode == 0, server.log
        assert server.log.endswith(" stopped\n")
        assert "Traceback" not in server.log


def test_one_process_serves_on_at_a_hangup_and_says_what_to_do(tmp_path: Path) -> None:
    with exchange(tmp_path, 1) as server:
        upload = SlowUpload(server)
        for times in (1, 2):
            server.process.send_signal(signal.SIGHUP)
            said(server, "SIGHUP: one process cannot replace itself", times)
        assert upload.finish()[0] == 200
        assert get(server, "courses?user=root") == 200
        assert server.stop() == 0


@several_in_the_long_check
def test_a_terminal_that_is_closed_stops_it(tmp_path: Path, workers: int) -> None:
    log = tmp_path / "log"
    command = [sys.executable, "-m", "ngshare_fs", "serve", "--standalone", "--port", "0", "--workers", str(workers)]
    terminal, far_end = pty.openpty()
    with (
        log.open("wb") as output,
        subprocess.Popen(
            ["setsid", "--ctty", *command, "--data", tmp_path / "data"], stdin=far_end, stderr=output
        ) as process,
    ):
        os.close(far_end)
        server = Server("", process, log)
        try:
            said(server, "NOT FOR PRODUCTION")
            os.close(terminal)
            assert process.wait(PATIENCE) == 0
            assert " stopped\n" in server.log
        finally:
            process.kill()


def test_it_shows_what_its_threads_are_at(tmp_path: Path) -> None:
    with exchange(tmp_path, 1) as server:
        server.process.send_signal(signal.SIGUSR1)
        said(server, "Current thread")
        # The lines come one by one.
        at_work = ("in _serve", "in run_forever")
        until(lambda: any(each in server.log for each in at_work), "the end of its stack", server)
        assert get(server, "courses?user=root") == 200
