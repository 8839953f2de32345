"""What programs send in the place of a form: it has an answer, is held within bounds, and changes nothing."""

import io
from collections.abc import AsyncIterator
from typing import Any

import pytest
from yarl import URL

from tests.conftest import Exchange, MakeExchange
from tests.pages.browsing import words
from tests.pages.file_forms import Sent, send_files
from tests.signing_in import PREFIX, Service, cookie, page_of, service, sign_in, xsrf_in
from tests.zips import zipped

__all__ = ["cookie", "service"]

PASTED = "/api/pages/roster-change/c?user=kevin"
PLAIN = "application/x-www-form-urlencoded"
PARTS = "multipart/form-data; boundary=B"
MEBIBYTE = 2**20


async def post(exchange: Exchange, address: str, body: Any, content_type: str, **headers: str) -> int:
    answer = await exchange.client.post(
        URL(address, encoded=True),
        data=body,
        headers={"Content-Type": content_type, **{key.replace("_", "-"): text for key, text in headers.items()}},
        allow_redirects=False,
    )
    await answer.read()
    return int(answer.status)


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("roster-change/c?user=kevin", "form=look&people=%5Cud800"),
        ("roster-entry/c?user=kevin", "form=save&member=x%5Cud800&role=student"),
        ("release/c?user=kevin", "form=name&assignment=%5Cud800"),
        ("dates/c/a?user=kevin", "form=look&due=%5Cud800"),
        ("new-course?user=root", "form=create&course_name=%5Cud800&instructors="),
    ],
)
async def test_no_codec_that_a_request_names_makes_half_characters(taught: Exchange, path: str, fields: str) -> None:
    content_type = f"{PLAIN}; charset=unicode_escape"
    status = await post(taught, f"/api/pages/{path}", io.BytesIO(fields.encode()), content_type)
    assert status in (200, 303, 400), status


@pytest.mark.parametrize("content_type", [PLAIN, PARTS])
@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br"])
async def test_what_cannot_be_unpacked_is_refused(taught: Exchange, content_type: str, encoding: str) -> None:
    body = io.BytesIO(b"\x1f\x8b nothing of the kind " * 10)
    assert await post(taught, PASTED, body, content_type, Content_Encoding=encoding) == 400


@pytest.mark.parametrize("head", ["", 'Content-Disposition: form-data; name="text"\r\n'])
@pytest.mark.parametrize("path", ["roster-change/c?user=stranger", "hand-in/c/a?user=lawrence"])
async def test_parts_of_nothing_do_not_come_for_ever(taught: Exchange, path: str, head: str) -> None:
    part = f"--B\r\n{head}\r\n\r\n".encode()
    body = io.BytesIO(part * 5000 + b"--B--\r\n")
    assert await post(taught, f"/api/pages/{path}", body, PARTS) == 400


async def test_heads_of_parts_count_as_well(taught: Exchange, make_exchange: MakeExchange) -> None:
    body = b"".join(
        b'--B\r\nContent-Disposition: form-data; name="%d%b"\r\n\r\n\r\n' % (number, b"x" * 5000)
        for number in range(400)
    )
    address = PASTED.replace("kevin", "stranger")
    assert await post(taught, address, io.BytesIO(body + b"--B--\r\n"), PARTS) == 413
    small = await make_exchange(max_request=MEBIBYTE)
    part = b'--B\r\nX-Y: %b\r\nContent-Disposition: form-data; name="user"\r\n\r\n\r\n' % (b"x" * 5000)

    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(400):  # in chunks, of which nobody knows how many will come
            yield part
        yield b"--B--\r\n"

    assert await post(small, "/api/course/c?user=root", pieces(), PARTS) == 413


async def test_thousands_of_fields_hold_up_nobody(taught: Exchange) -> None:
    assert await post(taught, PASTED, io.BytesIO(b"a&" * (MEBIBYTE // 2 - 1)), PLAIN) == 400


async def test_files_behind_a_zip_count_as_well(make_exchange: MakeExchange) -> None:
    exchange = await make_exchange(max_files=3)
    assert (await exchange.call("POST", "course/c", "root", instructors='["kevin"]')).status == 200
    address = "/api/pages/release-new/c/n?user=kevin"
    files: list[Sent] = [("zip", "z.zip", zipped({"1": b"", "2": b""})), ("files", "3", b""), ("files", "4", b"")]
    seen = await send_files(exchange, address, {"_xsrf": ""}, files)
    assert (seen.status, "3" in words(seen.text)) == (400, True)
    assert (await exchange.call("GET", "assignment/c/n", "kevin")).status == 404
    assert (await send_files(exchange, address, {"_xsrf": ""}, files[:2])).status == 303


async def test_signing_out_is_a_form_like_all_others(service: Service) -> None:
    session = (await sign_in(service)).partition(";")[0]
    xsrf = xsrf_in(await page_of(service, session))
    sent = {"Cookie": session, "Referer": service.origin + PREFIX}

    async def sign_out(body: bytes, content_type: str, **headers: str) -> int:
        answer = await service.client.post(
            f"{PREFIX}sign-out", data=io.BytesIO(body), headers={**sent, "Content-Type": content_type, **headers}
        )
        return int(answer.status)

    assert await sign_out(b"--B\r\n\r\n" * 9, PARTS) == 400
    assert await sign_out(b"_xsrf=%5Cud800", f"{PLAIN}; charset=unicode_escape") == 403
    assert await sign_out(f"_xsrf={xsrf}".encode(), PLAIN) == 200
    # The last one: aiohttp closes the connection.
    assert await sign_out(b"\x1f\x8b none", PLAIN, **{"Content-Encoding": "gzip"}) == 400
