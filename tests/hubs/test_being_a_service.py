"""The hub starts the server and ends it."""

import socket
import threading
from urllib.parse import urlencode

import pytest

from tests.hubs.client import call
from tests.hubs.conftest import StartHub
from tests.hubs.exchange import FILES, NAMES, ask, must
from tests.hubs.hub import SERVICE_SCOPE, Hub, Plan

pytestmark = pytest.mark.hubs


@pytest.mark.long
def test_what_is_under_way_is_finished_when_the_hub_ends(start_hub: StartHub, version: str) -> None:
    """It sends SIGINT."""
    hub = start_hub(Plan(version))
    hub.add_users("admin", "teacher", "lawrence")
    admin, lawrence = (hub.token(user, SERVICE_SCOPE).text for user in ("admin", "lawrence"))
    must(ask(hub, "POST", "course/c", admin, instructors='["teacher"]'))
    must(ask(hub, "POST", "student/c/lawrence", admin, **NAMES))
    must(ask(hub, "POST", "assignment/c/a", admin, files=FILES))

    body = urlencode({"files": FILES}).encode()
    with socket.create_connection((hub.address, hub.service_port), timeout=30) as connection:
        head = (
            f"POST {hub.prefix}submission/c/a HTTP/1.1\r\nHost: x\r\nAuthorization: token {lawrence}\r\n"
            f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}\r\n"
            "Expect: 100-continue\r\n\r\n"
        )
        connection.sendall(head.encode())
        assert connection.recv(1000).startswith(b"HTTP/1.1 100 ")
        connection.sendall(body[:10])
        ending = threading.Thread(target=hub.stop)
        ending.start()
        hub.wait_until(lambda: "finishing the requests under way" in hub.service_log, "the service is told to end")
        connection.sendall(body[10:])
        assert connection.recv(1000).startswith(b"HTTP/1.1 200 ")
        ending.join()
    assert " stopped\n" in hub.service_log
    assert "Traceback" not in hub.service_log
    assert len(list(hub.volume.glob("courses/c/assignments/a/submissions/lawrence/*/files/p.ipynb"))) == 1


def test_it_listens_where_the_hub_says_and_nowhere_else(granting_hub: Hub) -> None:
    assert call("GET", granting_hub.direct_url + "healthz").status == 200
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", granting_hub.service_port), timeout=5).close()


@pytest.mark.long  # the hub looks every half minute
def test_a_killed_service_is_started_again(start_hub: StartHub, version: str) -> None:
    """With the same token and the same secret: nobody has to sign in again, no client sees another answer."""
    hub = start_hub(Plan(version))
    hub.add_users("teacher")
    token = hub.token("teacher", SERVICE_SCOPE).text
    before = must(ask(hub, "GET", "courses", token))
    hub.kill_service()
    hub.wait_until_served()
    assert must(ask(hub, "GET", "courses", token)) == before
