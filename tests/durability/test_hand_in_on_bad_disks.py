"""Handing in by browser to a volume that is full, or read-only: the page says so, and the same is sent again later."""

import http.client
import json
import shutil
from pathlib import Path
from urllib.parse import quote, urlsplit

import pytest

from tests.durability.disks import MIB, bind, fill_space, unmounted_at_the_end
from tests.durability.exchange import ASSIGNMENT, STUDENT, Exchange
from tests.durability.history import COURSE
from tests.durability.servers import serving
from tests.durability.test_full_and_broken import small_disk
from tests.pages.file_forms import BOUNDARY, Sent, form_body
from tests.servers import Server
from tests.zips import zipped

pytestmark = pytest.mark.durability

SMALL: list[Sent] = [("files", "p.ipynb", b"{}")]
LARGE: list[Sent] = [("files", "large", bytes(2 * MIB))]
ZIP: list[Sent] = [("zip", "z.zip", zipped({"in it": bytes(3 * MIB)}))]


def send(server: Server, key: str, files: list[Sent]) -> tuple[int, str, str]:
    """Send the page's form: status, page, where it leads."""
    parts = urlsplit(server.url)
    connection = http.client.HTTPConnection(parts.netloc, timeout=60)
    try:
        path = f"{parts.path}pages/hand-in/{quote(COURSE)}/{ASSIGNMENT}?user={STUDENT}"
        body = form_body({"key": key, "although": json.dumps(["p.ipynb"])}, files)
        connection.request("POST", path, body, {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"})
        answer = connection.getresponse()
        return answer.status, answer.read().decode(), answer.headers.get("Location", "")
    finally:
        connection.close()


def check_that_it_is_refused(exchange: Exchange, status: int, said: str) -> None:
    """Nothing is stored, and nothing is left."""
    before = exchange.ask("GET", f"submissions/{COURSE}/{ASSIGNMENT}").body["submissions"]
    for key, files in (("small", SMALL), ("large", LARGE), ("zip", ZIP)):
        found, page, _ = send(exchange.server, key, files)
        assert (found, said in page, "Send the same once more" in page) == (status, True, True), (key, page)
        assert f'name="key" value="{key}"' in page
    assert exchange.ask("GET", f"submissions/{COURSE}/{ASSIGNMENT}").body["submissions"] == before


def check_that_it_is_handed_in(exchange: Exchange) -> None:
    """The same once more, twice."""
    for key, files in (("small", SMALL), ("large", LARGE), ("zip", ZIP)):
        first, again = send(exchange.server, key, files), send(exchange.server, key, files)
        assert (first[0], first[2]) == (303, again[2])
    assert exchange.left_in_staging() == []


@pytest.mark.long
def test_a_full_volume(tmp_path: Path) -> None:
    with small_disk(tmp_path, 20 * MIB) as place, serving(place / "data", tmp_path / "log") as server:
        exchange = Exchange(server, place / "data")
        (place / "ballast").mkdir()
        fill_space(place / "ballast")
        check_that_it_is_refused(exchange, 507, "Insufficient storage")
        assert exchange.left_in_staging() == []
        shutil.rmtree(place / "ballast")
        check_that_it_is_handed_in(exchange)


@pytest.mark.long
def test_a_volume_that_becomes_read_only(tmp_path: Path) -> None:
    with small_disk(tmp_path, 20 * MIB) as place:
        data = place / "data"
        with serving(data, tmp_path / "log") as server:
            exchange = Exchange(server, data)
            with unmounted_at_the_end(data):
                bind(data, data, "ro")
                check_that_it_is_refused(exchange, 503, "Storage is read-only")
            check_that_it_is_handed_in(exchange)
