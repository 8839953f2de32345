"""No request is lost when processes stop, restart or die: one process and several, under load."""

import json
import os
import re
import resource
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import pytest

from tests.servers import Server, children_of, running

PATIENCE = 30
BODY = urlencode({"user": "lawrence", "files": '[{"path": "p.ipynb", "content": "e30K"}]'}).encode()
LAST_REQUEST = b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
one_and_several = pytest.mark.parametrize("workers", [1, 2])


def until(condition: Callable[[], object], what: str, server: Server) -> None:
    """Wait for something that happens in another process."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, f"{what} did not happen:\n{server.log}"
        time.sleep(0.01)


def said(server: Server, text: str, times: int = 1) -> None:
    """Wait until the server has logged it."""
    until(lambda: server.log.count(text) >= times, text, server)


def address(server: Server) -> tuple[str, int]:
    parts = urlsplit(server.url)
    assert parts.hostname
    assert parts.port
    return parts.hostname, parts.port


def get(server: Server, path: str) -> int:
    """The status of a GET on a connection of its own."""
    connection = HTTPConnection(*address(server), timeout=PATIENCE)
    try:
        connection.request("GET", urlsplit(server.url).path + path)
        response = connection.getresponse()
        response.read()
        return response.status
    finally:
        connection.close()


def refused(server: Server) -> bool:
    try:
        socket.create_connection(address(server), timeout=PATIENCE).close()
    except ConnectionRefusedError:
        return True
    return False


def serving(server: Server) -> list[int]:
    """The ids of the workers that said that they serve, the oldest first."""
    return [int(pid) for pid in re.findall(r"worker (\d+) serves", server.log)]


def is_running(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"  # a child of a process that was killed may wait for somebody to collect it


@contextmanager
def exchange(tmp_path: Path, workers: int, *arguments: str, **environment: str) -> Iterator[Server]:
    """A server with known data, all its workers serving."""
    with running(tmp_path / "data", "--workers", str(workers), "--debug", *arguments, **environment) as server:
        if workers > 1:
            until(lambda: len(serving(server)) >= workers, "the start of all workers", server)
        assert get(server, "initialize-Data6ase?action=init&user=root") == 200
        yield server


class SlowUpload:
    """A submission whose second half is sent when the test wants it."""

    def __init__(self, server: Server) -> None:
        self.socket = socket.create_connection(address(server), timeout=PATIENCE)
        path = urlsplit(server.url).path + "submission/course1/challenge"
        head = f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\n"
        # The server's answer to `Expect` says that the request is under way in a handler.
        head += f"Expect: 100-continue\r\nContent-Length: {len(BODY)}\r\n\r\n"
        self.socket.sendall(head.encode())
        assert self.socket.recv(25, socket.MSG_WAITALL) == b"HTTP/1.1 100 Continue\r\n\r\n"
        self.socket.sendall(BODY[:20])

    def finish(self) -> tuple[int, str]:
        """Send the rest. Gives the status and the whole answer."""
        self.socket.sendall(BODY[20:])
        answer = b""
        while part := self.socket.recv(65536):
            answer += part
        self.socket.close()
        return int(answer.split()[1]), answer.decode()


class Load:
    """Clients that ask without a pause, some on a new connection each time, some on one that is kept."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.answered = [0] * 6
        self.lost: list[str] = []
        self.over = threading.Event()
        self.clients = [threading.Thread(target=self._ask, args=(number,)) for number in range(6)]

    def _ask(self, number: int) -> None:
        path = urlsplit(self.server.url).path
        connection = HTTPConnection(*address(self.server), timeout=PATIENCE)
        while not self.over.is_set():
            try:
                if number % 3 == 0:
                    headers = {"Content-Type": "application/x-www-form-urlencoded"}
                    connection.request("POST", path + "submission/course1/challenge", BODY, headers)
                else:
                    connection.request("GET", path + "assignment/course1/challenge?user=lawrence")
                response = connection.getresponse()
                content = json.loads(response.read())
                if response.status != 200 or not content["success"]:
                    self.lost.append(f"{response.status} {content}")
            except Exception as error:
                self.lost.append(f"client {number}: {error!r}")
                connection.close()
            self.answered[number] += 1
            if number % 2 == 0:
                connection.close()
        connection.close()

    def __enter__(self) -> "Load":
        for client in self.clients:
            client.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.over.set()
        for client in self.clients:
            client.join()

    def progress(self, requests: int = 5) -> None:
        """Wait until every client has had that many more answers."""
        before = list(self.answered)
        until(
            lambda: all(now >= then + requests for now, then in zip(self.answered, before, strict=True)),
            f"an answer to every client {self.lost}",
            self.server,
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
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
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


@one_and_several
def test_a_stop_in_a_rush_answers_everybody_who_got_a_connection(tmp_path: Path, workers: int) -> None:
    """Who comes too late is refused: nobody is accepted, sends a request and is cut off."""

    def ask_until_refused(server: Server) -> list[str]:
        answers: list[str] = []
        while True:
            try:
                connection = socket.create_connection(address(server), timeout=PATIENCE)
            except ConnectionRefusedError:
                return answers
            with connection:
                try:
                    connection.sendall(LAST_REQUEST)
                    answers.append(connection.recv(12, socket.MSG_WAITALL).decode())
                except ConnectionError as error:
                    answers.append(repr(error))

    for _ in range(4):
        # Probes that are answered well are in the log with --debug only.
        with exchange(tmp_path, workers, "--debug") as server, ThreadPoolExecutor(24) as clients:
            asking = [clients.submit(ask_until_refused, server) for _ in range(24)]
            until(lambda: server.log.count("GET /healthz 200") > 200, "the rush", server)
            server.process.terminate()
            answers = Counter(answer for client in asking for answer in client.result())
            assert list(answers) == ["HTTP/1.1 200"], answers
            assert server.process.wait(PATIENCE) == 0


@one_and_several
def test_a_stop_waits_no_longer_than_it_was_told(tmp_path: Path, workers: int) -> None:
    with exchange(tmp_path, workers, "--drain-seconds", "1") as server:
        upload = SlowUpload(server)
        assert server.stop() == 0
        assert "1 connections cut off" in server.log
        assert f"POST {urlsplit(server.url).path}submission/course1/challenge 499" in server.log
        upload.socket.close()


@one_and_several
def test_a_second_interrupt_ends_at_once(tmp_path: Path, workers: int) -> None:
    with exchange(tmp_path, workers) as server:
        upload = SlowUpload(server)
        server.process.send_signal(signal.SIGINT)
        said(server, "finishing the requests under way")
        server.process.send_signal(signal.SIGINT)
        assert server.process.wait(PATIENCE) == 0
        upload.socket.close()


@one_and_several
def test_a_restart_loses_no_request(tmp_path: Path, workers: int) -> None:
    with exchange(tmp_path, workers) as server:
        before = serving(server)
        with Load(server) as load:
            load.progress()
            for round_number in (1, 2):
                server.process.send_signal(signal.SIGHUP)
                if workers == 1:
                    said(server, f"restarted, process {server.process.pid} serves on", round_number)
                else:
                    said(server, " serves\n", workers * (1 + round_number))
                load.progress()
        assert load.lost == []
        if workers > 1:
            until(lambda: not any(map(is_running, before)), "the end of the old workers", server)
        assert get(server, "courses?user=root") == 200
        assert server.stop() == 0
        assert "Traceback" not in server.log


@one_and_several
def test_a_restart_finishes_uploads_under_way(tmp_path: Path, workers: int) -> None:
    with exchange(tmp_path, workers) as server:
        upload = SlowUpload(server)
        server.process.send_signal(signal.SIGHUP)
        said(server, "finishing the requests under way")
        assert upload.finish()[0] == 200
        assert get(server, "courses?user=root") == 200


def test_a_stop_during_a_restart_answers_who_waits_for_the_restart(tmp_path: Path) -> None:
    with exchange(tmp_path, 1) as server:
        upload = SlowUpload(server)
        server.process.send_signal(signal.SIGHUP)
        said(server, "restarting: finishing the requests under way")
        connections = [socket.create_connection(address(server), timeout=PATIENCE) for _ in range(4)]
        server.process.terminate()
        assert upload.finish()[0] == 200
        for connection in connections:
            connection.sendall(LAST_REQUEST)
            assert connection.recv(12, socket.MSG_WAITALL) == b"HTTP/1.1 200"
            connection.close()
        assert server.process.wait(PATIENCE) == 0
        assert server.log.count(" stopped\n") == 1


@pytest.mark.long
def test_a_stop_at_any_moment_of_a_restart_is_a_stop(tmp_path: Path) -> None:
    for number in range(8):
        with exchange(tmp_path, 1) as server:
            server.process.send_signal(signal.SIGHUP)
            said(server, "restarting: finishing the requests under way")
            time.sleep(number * 0.0015)  # the program is replaced within some milliseconds
            server.process.terminate()
            assert server.process.wait(PATIENCE) == 0


def test_a_restart_without_an_interpreter_ends(tmp_path: Path) -> None:
    """Somebody is just replacing the environment. There was one for the rehearsal."""
    environment = tmp_path / "environment"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", environment], check=True)
    packages = os.pathsep.join(path for path in sys.path if path.endswith("site-packages"))
    python = str(environment / "bin/python")
    with running(tmp_path / "data", "--debug", python=python, PYTHONPATH=packages) as server:
        get(server, "initialize-Data6ase?action=init&user=root")
        upload = SlowUpload(server)
        server.process.send_signal(signal.SIGHUP)
        said(server, "restarting: finishing the requests under way")
        shutil.rmtree(environment)
        assert upload.finish()[0] == 200
        assert server.process.wait(PATIENCE) == 1
        assert f"stopped, for there is nothing to restart: {python}: No such file or directory" in server.log


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


@pytest.mark.parametrize(
    ("number", "is_told_to_stop"), [(signal.SIGTERM, False), (signal.SIGHUP, False), (signal.SIGHUP, True)]
)
def test_what_hangs_in_the_file_system_holds_up_neither_stop_nor_restart(
    tmp_path: Path, number: signal.Signals, is_told_to_stop: bool
) -> None:
    roster = tmp_path / "data/courses/course1/course.yaml"
    (tmp_path / "sitecustomize.py").write_text(OPENING_WAITS)
    waits = tmp_path / "waits"
    environment = {"PYTHONPATH": str(tmp_path), "SAYS_THAT_IT_WAITS": str(waits)}
    with exchange(tmp_path, 1, "--drain-seconds", "1", **environment) as server:
        roster.unlink()
        os.mkfifo(roster)
        hanging = socket.create_connection(address(server), timeout=PATIENCE)
        path = urlsplit(server.url).path + "students/course1?user=kevin"
        hanging.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        until(waits.exists, "the wait", server)
        server.process.send_signal(number)
        if number == signal.SIGHUP and is_told_to_stop:
            said(server, "restarting: finishing the requests under way")
            time.sleep(4)  # it waits for what hangs, and for nothing else
            server.process.terminate()
        if number == signal.SIGHUP and not is_told_to_stop:
            said(server, "restarting without an end of what hangs in the file system")
            said(server, f"restarted, process {server.process.pid} serves on")
            assert get(server, "healthz") == 200
        else:
            assert server.process.wait(PATIENCE) == 1
            assert "stopped without an end of what hangs in the file system" in server.log
        hanging.close()


@pytest.mark.long
def test_a_second_restart_right_after_the_first_is_harmless(tmp_path: Path) -> None:
    with exchange(tmp_path, 1) as server:
        for _ in range(5):
            server.process.send_signal(signal.SIGHUP)
            time.sleep(0.1)  # into every phase of a restart
        said(server, "serves on")
        assert get(server, "courses?user=root") == 200


@one_and_several
def test_a_restart_takes_the_new_configuration_and_refuses_a_wrong_one(tmp_path: Path, workers: int) -> None:
    config = tmp_path / "ngshare.yaml"
    config.write_text("max-files: 100\n")
    with exchange(tmp_path, workers, "--config", str(config)) as server:
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
        if workers > 1:
            server.url = old
            until(lambda: get(server, "courses?user=root") == 404, "the end of the old prefix", server)


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
def test_workers_may_become_more_and_fewer(tmp_path: Path) -> None:
    config = tmp_path / "ngshare.yaml"
    config.write_text("workers: 1\n")
    with running(tmp_path / "data", "--config", str(config)) as server:
        for workers in (3, 2, 1):
            config.write_text(f"workers: {workers}\n")
            known = len(serving(server))
            server.process.send_signal(signal.SIGHUP)
            until(lambda: len(serving(server)) == known + workers, f"the start of {workers} workers", server)  # noqa: B023
            current = serving(server)[-workers:]
            until(lambda: sum(map(is_running, serving(server))) == workers, "the end of the rest", server)  # noqa: B023
            assert all(map(is_running, current))
            assert get(server, "courses?user=root") == 200


def test_a_worker_that_dies_is_replaced(tmp_path: Path) -> None:
    with exchange(tmp_path, 2) as server:
        os.kill(serving(server)[0], signal.SIGKILL)
        said(server, "ended unasked (signal SIGKILL)")
        until(lambda: len(serving(server)) == 3, "the start of another worker", server)
        assert get(server, "courses?user=root") == 200


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
        until(lambda: not any(map(is_running, workers)), "the end of the workers", server)


def test_a_worker_whose_supervisor_is_killed_while_it_starts_ends_in_order(tmp_path: Path) -> None:
    with exchange(tmp_path, 2) as server:
        for worker in serving(server):
            os.kill(worker, signal.SIGKILL)
        said(server, "ended unasked", 2)
        until(lambda: len(children_of(server.process.pid)) == 2, "the start of others", server)
        workers = children_of(server.process.pid)
        server.process.kill()
        until(lambda: not any(map(is_running, workers)), "the end of the workers", server)
        assert server.log.count("the supervisor is gone: this worker ends too") == 2
        assert server.log.count(" stopped\n") == 2
        assert "Traceback" not in server.log
        assert os.listdir(tmp_path / "data/.ngshare/staging") == []


def test_ctrl_c_in_a_terminal_reaches_all_processes_and_is_quiet(tmp_path: Path) -> None:
    with exchange(tmp_path, 2) as server:
        for pid in (server.process.pid, *serving(server)):
            os.kill(pid, signal.SIGINT)
        assert server.process.wait(PATIENCE) == 0
        assert "Traceback" not in server.log
