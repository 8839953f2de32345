"""Whose token opens the exchange, for how long, and where it must not be seen."""

import socket
import time
from pathlib import Path

import pytest

from tests.hubs.client import call
from tests.hubs.conftest import StartHub
from tests.hubs.exchange import ask, must
from tests.hubs.hub import HELPED, HELPER, INSIDER, SERVICE_SCOPE, Hub, Plan

pytestmark = pytest.mark.hubs

FORGOTTEN_SECONDS = 60


def test_a_server_that_the_hub_started_is_let_in(plain_hub: Hub) -> None:
    """A default hub gives it a token for the server alone."""
    plain_hub.add_users("alice")
    token = plain_hub.start_server("alice")
    assert must(ask(plain_hub, "GET", "courses", token))["courses"] == []
    plain_hub.stop_server("alice")


@pytest.mark.parametrize("scope", ["access:servers!server=bob/", "access:servers!user=bob", ""])
def test_tokens_for_ones_own_server_open_a_plain_hub(plain_hub: Hub, scope: str) -> None:
    plain_hub.add_users("bob")
    token = plain_hub.token("bob", scope) if scope else plain_hub.token("bob")
    must(ask(plain_hub, "GET", "courses", token.text))


@pytest.mark.parametrize("scope", [SERVICE_SCOPE, ""])
def test_tokens_for_the_service_open_it(plain_hub: Hub, scope: str) -> None:
    token = plain_hub.token(INSIDER, scope) if scope else plain_hub.token(INSIDER)
    must(ask(plain_hub, "GET", "courses", token.text))


@pytest.mark.parametrize("scheme", ["token", "Bearer", "bearer", "Token"])
def test_the_header_may_be_written_in_either_way(plain_hub: Hub, scheme: str) -> None:
    token = plain_hub.token(INSIDER).text
    assert call("GET", plain_hub.url + "courses", headers={"Authorization": f"{scheme} {token}"}).status == 200


def test_a_token_without_the_scope_is_told_which(plain_hub: Hub) -> None:
    plain_hub.add_users("carol", HELPED)
    scope = "read:users:name!user=carol"
    for token in (plain_hub.token("carol", scope), plain_hub.token(HELPER, f"access:servers!server={HELPED}/")):
        answer = ask(plain_hub, "GET", "courses", token.text)
        assert answer.status == 403
        assert SERVICE_SCOPE in answer.message


@pytest.mark.long
def test_where_the_scope_is_required_the_documented_roles_grant_it(start_hub: StartHub, version: str) -> None:
    hub = start_hub(Plan(version, servers_granted=True, options=("--require-service-scope",)))
    hub.add_users("dora")
    must(ask(hub, "GET", "courses", hub.start_server("dora")))
    of_server = hub.token("dora", "access:servers!server=dora/")
    assert ask(hub, "GET", "courses", of_server.text).status == 403
    (said,) = [line for line in hub.service_log.splitlines() if "missing scope: " in line]
    assert "'dora'" in said
    assert f'the role "server" with "users:activity!user", "access:servers!server", "{SERVICE_SCOPE}"' in said


@pytest.mark.parametrize("place", ["query", "form", "cookie", "path"])
def test_a_token_counts_in_the_header_only(plain_hub: Hub, place: str) -> None:
    token = plain_hub.token(INSIDER).text
    url = plain_hub.url + "course/x"
    answer = {
        "query": lambda: call("GET", f"{plain_hub.url}courses?token={token}"),
        "form": lambda: call("POST", url, fields={"token": token}),
        "cookie": lambda: call("GET", plain_hub.url + "courses", headers={"Cookie": f"ngshare-session={token}"}),
        "path": lambda: call("GET", f"{plain_hub.url}courses/{token}"),
    }[place]()
    assert answer.status in (403, 404), answer
    assert answer.body.get("courses") is None


@pytest.mark.parametrize(
    "header", ["token", "token ", "Bearer", "Basic YTpi", "x", "token a b", "token \xe9", "token ''"]
)
def test_a_header_that_holds_no_token_is_refused(plain_hub: Hub, header: str) -> None:
    answer = call("GET", plain_hub.url + "courses", headers={"Authorization": header})
    assert answer.status == 403, answer
    assert answer.body["success"] is False


@pytest.mark.parametrize("accept", ["text/html", "*/*"])
def test_an_unknown_token_never_leads_to_a_login_page(plain_hub: Hub, accept: str) -> None:
    headers = {"Accept": accept, "Sec-Fetch-Mode": "navigate"}
    for path in ("", "courses", "no%20such"):
        answer = call("GET", plain_hub.url + path, "0" * 32, headers=headers)
        assert answer.status in (403, 404), (path, answer)
        assert answer.body["success"] is False


def test_a_revoked_token_is_forgotten(granting_hub: Hub) -> None:
    granting_hub.add_users("dave")
    token = granting_hub.token("dave", SERVICE_SCOPE)
    must(ask(granting_hub, "GET", "courses", token.text))
    granting_hub.revoke("dave", token)
    _wait_until_refused(granting_hub, token.text)


def test_the_token_of_a_server_ends_with_it(granting_hub: Hub) -> None:
    granting_hub.add_users("erin")
    token = granting_hub.start_server("erin")
    must(ask(granting_hub, "GET", "courses", token))
    granting_hub.stop_server("erin")
    _wait_until_refused(granting_hub, token)


def _wait_until_refused(hub: Hub, token: str) -> None:
    deadline = time.monotonic() + FORGOTTEN_SECONDS
    while ask(hub, "GET", "courses", token).status != 403:
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_no_token_is_seen_anywhere(granting_hub: Hub) -> None:
    hub = granting_hub
    hub.add_users("frank")
    token = hub.token("frank", SERVICE_SCOPE).text
    unknown = "f" * 32
    hub.secrets.add(unknown)
    for url in (hub.url, hub.direct_url):
        for sent in (token, unknown):
            call("GET", f"{url}courses", sent)
            call("GET", f"{url}courses?token={sent}")
            call("GET", f"{url}courses?token={sent}", sent)
            call("POST", f"{url}course/x?token={sent}", sent, fields={"token": sent})
            call("PATCH", f"{url}courses?user={sent}", sent)
            call("GET", f"{url}oauth_callback?code={sent}&state={sent}", headers={"Accept": "text/html"})
            call("GET", f"{url}oauth_callback?error={sent}&error_description={sent}", headers={"Accept": "text/html"})
            call("GET", f"{url}?next={sent}", headers={"Accept": "text/html", "Cookie": f"ngshare-session={sent}"})
            call("GET", f"{url}courses", headers={"Authorization": sent})
            call("GET", f"{url}courses", headers={"Authorization": f"token {sent} {sent}"})
    # What a client gets wrong in its first line shows in the log of many a server.
    with socket.create_connection((hub.address, hub.service_port)) as connection:
        connection.sendall(f"GET /{token}\x00 HTTP/1.1\r\nAuthorization token {token}\r\n\r\n".encode())
        connection.recv(1000)
    commands = b"\0".join(_read(path) for path in Path("/proc").glob("[0-9]*/cmdline"))
    for secret in hub.secrets:
        assert secret not in hub.service_log
        assert secret.encode() not in commands


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return b""
