"""Nobody waits for the exchange longer than patience lasts, whichever way it hangs; but slow is not hanging."""

import json
import logging
import signal
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ngshare_fs.exchange.connection.client import Client
from ngshare_fs.exchange.connection.exchange_api import ExchangeApi
from ngshare_fs.exchange.connection.patience import LEAST_SECONDS
from ngshare_fs.exchange.connection.server import Server
from ngshare_fs.exchange.failures.problems import Unreachable
from ngshare_fs.exchange.own_submissions import bring_back
from ngshare_fs.exchange.sending.request_body import Body, LocalFile
from tests import servers
from tests.raw_servers import LOOPBACK, RawServer, raw_server

# More than a busy machine takes for what should take no time.
SLACK = 60.0
PATIENCE = LEAST_SECONDS


def client(url: str, patience: float = PATIENCE) -> Client:
    return Client(Server(url, "user:ann", "ann", standalone=True), patience, logging.getLogger("test"))


@contextmanager
def given_up_in_time(patience: float = PATIENCE) -> Iterator[None]:
    started = time.monotonic()
    with pytest.raises(Unreachable, match="cannot be reached: it does not answer"):
        yield
    assert patience * 0.9 < time.monotonic() - started < patience + SLACK


def trickle(connection: socket.socket, server: RawServer) -> None:
    """Never silent for long, never done."""
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n"
    if "whole-head" in server.requests[-1]:
        connection.sendall(head)
        head = b""
    for byte in (head + b"[" * 1000).hex():
        connection.sendall(byte.encode())
        if server.ended.wait(0.2):
            return


def test_a_server_that_is_stopped_is_waited_for_no_longer(tmp_path: Path) -> None:
    with servers.running(tmp_path / "volume") as server:
        client(server.url).call("GET", "courses")
        server.process.send_signal(signal.SIGSTOP)
        try:
            with given_up_in_time(7):
                client(server.url, 7).call("GET", "courses")
            content = tmp_path / "large"
            content.write_bytes(bytes(2**24))  # more than the kernel takes for it
            body = Body({}, [LocalFile("large", str(content), 2**24)])
            with given_up_in_time():
                client(server.url).call("POST", "submission", "c", "a", body=body)
        finally:
            server.process.send_signal(signal.SIGCONT)


@pytest.mark.parametrize("path", [pytest.param("courses", marks=pytest.mark.long), "whole-head"])
def test_an_answer_byte_by_byte_is_no_answer(path: str, tmp_path: Path) -> None:
    with raw_server(trickle) as server:
        url = f"http://{LOOPBACK}:{server.port}/"
        with given_up_in_time():
            client(url).call("GET", path)
        with given_up_in_time():
            client(url).tree(path, folder=str(tmp_path))


def test_pauses_and_hanging_count_together() -> None:
    """Each attempt is cut after a while: none of them takes long."""

    def hang_for_a_while(connection: socket.socket, server: RawServer) -> None:
        server.ended.wait(1)

    with raw_server(hang_for_a_while) as server:
        started = time.monotonic()
        # The last attempt may have less time left than the server takes to cut it.
        with pytest.raises(Unreachable, match=r"the connection was cut|it does not answer"):
            client(f"http://{LOOPBACK}:{server.port}/", 6).call("GET", "courses")
        assert time.monotonic() - started < 6 + SLACK
        assert len(server.requests) > 1


def test_a_slow_transfer_is_not_waiting() -> None:
    """It takes longer than patience lasts, but bytes move all the time."""
    answer = json.dumps({"success": True, "text": "x" * 700_000}).encode()

    def slowly(connection: socket.socket, server: RawServer) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(answer))
        for start in range(0, len(answer), 20_000):
            connection.sendall(answer[start : start + 20_000])
            if server.ended.wait(0.2):
                return

    with raw_server(slowly) as server:
        started = time.monotonic()
        answered = client(f"http://{LOOPBACK}:{server.port}/").call("GET", "courses")
        assert len(answered["text"]) == 700_000
        assert time.monotonic() - started > PATIENCE


def test_nobody_is_left_behind(tmp_path: Path) -> None:
    """What hung within an answer is hung up on, and its thread ends."""
    with raw_server(trickle) as server:
        with given_up_in_time():
            client(f"http://{LOOPBACK}:{server.port}/").tree("whole-head", folder=str(tmp_path))
        for thread in threading.enumerate():
            if thread.name == "exchange":
                thread.join(SLACK)
                assert not thread.is_alive()


def test_without_patience_there_is_one_attempt_that_takes_its_time(tmp_path: Path) -> None:
    with servers.running(tmp_path / "volume") as server:
        assert client(server.url, 0).call("GET", "courses")["success"] is True


@pytest.mark.long
def test_a_list_is_waited_for_no_longer_than_patience_lasts_and_work_is_not_cut_short(tmp_path: Path) -> None:
    with raw_server(trickle) as server:
        url = f"http://{LOOPBACK}:{server.port}/"
        started = time.monotonic()
        with pytest.raises(Unreachable, match=r"waited for [56] s"):
            ExchangeApi(client(url)).listing()
        assert time.monotonic() - started < PATIENCE + SLACK
        with pytest.raises(Unreachable, match=r"waited for 1[12] s"):
            bring_back(ExchangeApi(client(url, 11)), "c", "ps1", folder=str(tmp_path / "back"))
