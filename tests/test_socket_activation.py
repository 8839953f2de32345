"""A server on a socket that systemd keeps: who comes while none runs is answered by the next one."""

import os
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.servers import Server, children_of, url_said_by, writing_processes
from tests.serving import (
    LAST_REQUEST,
    PATIENCE,
    Load,
    SlowUpload,
    address,
    get,
    one_and_several,
    refused,
    said,
    serving,
    several_in_the_long_check,
    until,
)

# What systemd does between fork and exec: the socket becomes descriptor 3, and the variables say whose it is.
SYSTEMD = """
import os
import sys

descriptor, count, *command = sys.argv[1:]
os.dup2(int(descriptor), 3)
os.environ |= {"LISTEN_PID": os.environ.get("LISTEN_PID") or str(os.getpid()), "LISTEN_FDS": count}
os.environ["LISTEN_FDNAMES"] = "ngshare.socket"
os.execv(command[0], command)
"""
WITHOUT_STREAMS = SYSTEMD.replace("os.execv", "os.closerange(0, 3)\nos.execv")


def launch(
    tmp_path: Path,
    kept: socket.socket | int,
    *arguments: str,
    count: str = "1",
    program: str = SYSTEMD,
    **environment: str,
) -> "subprocess.Popen[bytes]":
    """Start the command as systemd would, with its log at the end of the file of that name."""
    descriptor = kept if isinstance(kept, int) else kept.fileno()
    command = [sys.executable, "-m", "ngshare_fs", "serve", "--standalone", "--debug", "--admins", "root"]
    command += ["--data", str(tmp_path / "data"), "--port", "0", *arguments]
    with (tmp_path / "log").open("ab") as log:
        return subprocess.Popen(
            [sys.executable, "-c", program, str(descriptor), count, *command],
            pass_fds=[descriptor], stdin=subprocess.DEVNULL, stdout=log, stderr=log, env={**os.environ, **environment},
        )  # fmt: skip


@contextmanager
def activated(tmp_path: Path, kept: socket.socket, workers: int) -> Iterator[Server]:
    """A server with known data on a socket that stays when it ends."""
    server = Server("", launch(tmp_path, kept, "--workers", str(workers)), tmp_path / "log")
    try:
        server.url = url_said_by(server, r"serves (http://\S+)")
        assert get(server, "initialize-Data6ase?action=init&user=root") == 200
        yield server
    finally:
        server.stop()


@pytest.fixture
def kept() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener


@one_and_several
def test_it_serves_the_socket_and_says_so(tmp_path: Path, kept: socket.socket, workers: int) -> None:
    host, port = kept.getsockname()
    with activated(tmp_path, kept, workers) as server:
        assert server.url == f"http://{host}:{port}/api/"
        assert get(server, "courses?user=root") == 200
        if workers > 1:  # what one process has forked shows its own first environment there, whatever is left of it
            for child in children_of(server.process.pid):
                assert b"LISTEN_" not in Path(f"/proc/{child}/environ").read_bytes()
    assert server.process.returncode == 0


@several_in_the_long_check
def test_it_serves_without_standard_streams(tmp_path: Path, kept: socket.socket, workers: int) -> None:
    process = launch(tmp_path, kept, "--workers", str(workers), program=WITHOUT_STREAMS)
    host, port = kept.getsockname()
    server = Server(f"http://{host}:{port}/api/", process, tmp_path / "log")
    try:
        # What comes before it serves waits in the socket's queue.
        assert get(server, "initialize-Data6ase?action=init&user=root") == 200
        until(lambda: writing_processes(process.pid), "a process that writes", server)
        (started, *_) = writing_processes(process.pid)
        for number in range(3):
            assert os.readlink(f"/proc/{started}/fd/{number}") == os.devnull
    finally:
        assert server.stop() == 0
    assert server.log == ""


@several_in_the_long_check
def test_a_stop_and_a_start_lose_no_request(tmp_path: Path, kept: socket.socket, workers: int) -> None:
    with activated(tmp_path, kept, workers) as server, Load(server) as load:
        for _ in range(2):
            load.progress()
            assert server.stop() == 0
            server.process = launch(tmp_path, kept, "--workers", str(workers))
        load.progress()
    assert load.lost == []
    assert "Traceback" not in server.log


@several_in_the_long_check
def test_who_comes_after_the_order_to_stop_waits_for_the_next_process(
    tmp_path: Path, kept: socket.socket, workers: int
) -> None:
    with activated(tmp_path, kept, workers) as server:
        if workers > 1:
            until(lambda: len(serving(server)) == workers, "the start of all workers", server)
        upload = SlowUpload(server)
        server.process.terminate()
        said(server, "finishing the requests under way", workers)
        late = socket.create_connection(address(server), timeout=PATIENCE)
        late.sendall(LAST_REQUEST)
        assert upload.finish()[0] == 200
        assert server.process.wait(PATIENCE) == 0
        late.setblocking(False)
        with pytest.raises(BlockingIOError):
            late.recv(1)
        late.settimeout(PATIENCE)
        server.process = launch(tmp_path, kept, "--workers", str(workers))
        assert late.recv(12, socket.MSG_WAITALL) == b"HTTP/1.1 200"
        late.close()


@several_in_the_long_check
def test_who_is_in_the_queue_at_a_stop_stays_there(tmp_path: Path, kept: socket.socket, workers: int) -> None:
    kept.listen(200)
    with activated(tmp_path, kept, workers) as server:
        if workers > 1:
            until(lambda: len(serving(server)) == workers, "the start of all workers", server)
        who_accepts = serving(server) or [server.process.pid]
        for pid in who_accepts:
            os.kill(pid, signal.SIGSTOP)
        # More than are accepted in the turns of the event loop that a stop takes.
        queued = [socket.create_connection(address(server), timeout=PATIENCE) for _ in range(150)]
        for connection in queued:
            connection.sendall(LAST_REQUEST)
        server.process.terminate()
        if workers > 1:
            said(server, "workers finish their requests")
        for pid in who_accepts:
            os.kill(pid, signal.SIGCONT)
        assert server.process.wait(PATIENCE) == 0
        left = [connection for connection in queued if not select.select([connection], [], [], 0)[0]]
        assert left
        server.process = launch(tmp_path, kept, "--workers", str(workers))
        for connection in queued:
            assert connection.recv(12, socket.MSG_WAITALL) == b"HTTP/1.1 200"
            connection.close()


@pytest.mark.long
def test_workers_on_the_socket_are_replaced_and_another_port_is_not_spoken_of(
    tmp_path: Path, kept: socket.socket
) -> None:
    with activated(tmp_path, kept, 2) as server:
        until(lambda: len(serving(server)) == 2, "the start of all workers", server)
        with Load(server) as load:
            load.progress()
            server.process.send_signal(signal.SIGHUP)
            said(server, " serves\n", 4)
            load.progress()
        assert load.lost == []
        assert "another host or port" not in server.log


def problem_with(tmp_path: Path, given: socket.socket | int, count: str = "1") -> str:
    """What is said of what cannot be served."""
    process = launch(tmp_path, given, count=count)
    try:
        assert process.wait(PATIENCE) == 1
    finally:
        process.kill()
    (line,) = (tmp_path / "log").read_text().splitlines()
    return line


def test_a_datagram_socket_is_refused(tmp_path: Path) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagrams:
        assert "is no stream socket: the .socket unit needs ListenStream=" in problem_with(tmp_path, datagrams)


def test_a_unix_socket_is_refused(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as local:
        local.bind(str(tmp_path / "socket"))
        local.listen()
        assert "has no host and port" in problem_with(tmp_path, local)


def test_a_connection_is_refused(tmp_path: Path, kept: socket.socket) -> None:
    with socket.create_connection(kept.getsockname()) as connection:
        assert "needs Accept=no" in problem_with(tmp_path, connection)


def test_several_sockets_are_refused(tmp_path: Path, kept: socket.socket) -> None:
    assert "LISTEN_FDS is 2: one socket is served" in problem_with(tmp_path, kept, count="2")


def test_a_file_is_refused(tmp_path: Path) -> None:
    with (tmp_path / "file").open("wb") as file:
        assert "descriptor 3 is no socket" in problem_with(tmp_path, file.fileno())


def test_a_socket_of_another_process_is_left_alone(tmp_path: Path, kept: socket.socket) -> None:
    """The variables have come down from a parent that forgot to remove them."""
    process = launch(tmp_path, kept, LISTEN_PID="1")
    server = Server("", process, tmp_path / "log")
    try:
        server.url = url_said_by(server, r"serves (http://\S+)")
        assert address(server) != kept.getsockname()
        server.stop()
        assert refused(server)
    finally:
        server.stop()
