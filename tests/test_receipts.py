"""A receipt is for the student whose work was handed in, or it is no receipt."""

import json
import logging
from pathlib import Path

import pytest

from ngshare_fs.exchange.connection.client import Client
from ngshare_fs.exchange.connection.exchange_api import ExchangeApi
from ngshare_fs.exchange.connection.server import find
from ngshare_fs.exchange.failures.problems import UntrustworthyAnswer
from tests.raw_servers import LOOPBACK, raw_server, saying

HUB = {"JUPYTERHUB_API_TOKEN": "secret", "JUPYTERHUB_USER": "ann", "USER": "jovyan"}


@pytest.mark.parametrize(
    ("environment", "student", "stored_for", "wrong"),
    [
        (HUB, None, "ann", False),
        (HUB, None, "bob", True),
        (HUB, None, "Ann", True),
        (HUB, None, None, True),
        (HUB, "bob", "bob", False),
        (HUB, "bob", "ann", True),
        ({"USER": "ann"}, None, "bob", True),
        # Nobody has told us as whom the hub knows us.
        ({"JUPYTERHUB_API_TOKEN": "secret", "USER": "jovyan"}, None, "ann", False),
        ({**HUB, "NGSHARE_USER": "jovyan"}, None, "ann", False),
    ],
)
def test_a_receipt_for_somebody_else_is_none(
    environment: dict[str, str], student: str | None, stored_for: str | None, wrong: bool, tmp_path: Path
) -> None:
    answer = json.dumps({"success": True, "timestamp": "now", "student_id": stored_for, "files": []}).encode()
    with raw_server(saying(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(answer), answer))) as server:
        found = find(f"http://{LOOPBACK}:{server.port}/", {**environment, "HOME": str(tmp_path)})
        api = ExchangeApi(Client(found, 0, logging.getLogger("test")))
        if not wrong:
            assert api.submit("c", "ps1", [], "key", student)["student_id"] == stored_for
            return
        with pytest.raises(UntrustworthyAnswer, match=f"took it for the work of {stored_for}, not of "):
            api.submit("c", "ps1", [], "key", student)


def test_an_older_server_names_nobody() -> None:
    answer = b'{"success": true, "timestamp": "now"}'
    with raw_server(saying(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(answer), answer))) as server:
        api = ExchangeApi(Client(find(f"http://{LOOPBACK}:{server.port}/", HUB), 0, logging.getLogger("test")))
        assert "student_id" not in api.submit("c", "ps1", [], "key", None)
