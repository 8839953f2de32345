"""Small bodies of multipart/form-data: split at their boundary as programs write them, and else read by aiohttp."""

from pathlib import Path

import pytest

from ngshare_fs.api.request import form
from ngshare_fs.exchange.sending.request_body import Body, LocalFile
from ngshare_fs.formats import multipart
from tests.conftest import Exchange
from tests.trees import contents, tree

TYPE = "multipart/form-data; boundary=B"
SENT = {"p.ipynb": b"{}\r\n--B\r\n", "ü/leer": b"", "+": b"%2B"}
TREE = tree(SENT).encode()


def part(name: str, content: bytes, head: bytes = b"") -> bytes:
    return b'--B\r\nContent-Disposition: form-data; name="%b"\r\n%b\r\n%b\r\n' % (name.encode(), head, content)


PLAIN = part("key", b"k") + part("files", TREE) + b"--B--\r\n"
SPLIT = {
    "plain": PLAIN,
    "no line break at the end": PLAIN[:-2],
    "other fields": part("more", b"x--B\r") + part("x", b"") + PLAIN,
    "an empty field that ends with its head": b'--B\r\nContent-Disposition: form-data; name="x"\r\n\r\n' + PLAIN,
    "a tree that is none": part("files", b"[{}]") + b"--B--\r\n",
    "a key that is none": part("key", b"\xff") + part("files", TREE) + b"--B--\r\n",
    "no files": part("key", b"k") + b"--B--\r\n",
    "nothing": b"--B--\r\n",
}
NOT_SPLIT = {
    "more headers": part("files", TREE, b"Content-Type: application/json\r\n") + b"--B--\r\n",
    "an encoding that nobody uses": part("files", TREE, b"Content-Transfer-Encoding: base64\r\n") + b"--B--\r\n",
    "one of many": part("files", TREE, b"Content-Type: multipart/mixed; boundary=C\r\n") + b"--B--\r\n",
    "a length": part("files", TREE, b"Content-Length: 3\r\n") + b"--B--\r\n",
    "a file's name": PLAIN.replace(b'name="files"', b'name="files"; filename="a"'),
    "no quotes": PLAIN.replace(b'"files"', b"files"),
    "a name that is cleaned": PLAIN.replace(b'"files"', b'"/files"'),
    "another case": PLAIN.replace(b"Content-D", b"content-d"),
    "text before": b"preamble\r\n" + PLAIN,
    "text behind": PLAIN + b"epilogue",
    "a charset": part("_charset_", b"utf-8") + PLAIN,
    "a charset that is none": part("_charset_", b"x" * 40) + PLAIN,
    "blanks behind a boundary": PLAIN.replace(b"--B\r\n", b"--B \r\n"),
    "line feeds": PLAIN.replace(b"\r\n", b"\n"),
    "no end": part("key", b"k") + part("files", TREE),
    "no boundary behind the last part": PLAIN[:-7],
    "a boundary that goes on": PLAIN.replace(b"--B--", b"--Bx"),
    "a name with an escape": PLAIN.replace(b'"files"', b'"fi\\les"'),
    "no head": b"--B\r\n\r\n" + PLAIN,
    "no name": part("", b"x") + PLAIN,
    "empty": b"\r\n",
}  # fmt: skip


async def outcome(exchange: Exchange, body: bytes, content_type: str = TYPE) -> tuple[int, str, object]:
    """The answer, and what is stored."""
    headers = {"Content-Type": content_type}
    response = await exchange.client.post("/api/submission/c/a?user=lawrence", data=body, headers=headers)
    answer = await response.json()
    if not answer["success"]:
        return response.status, answer["message"], None
    stored = await exchange.call("GET", "submission/c/a/lawrence", "lawrence", timestamp=answer["timestamp"])
    # Of what comes now, none may be taken for a repetition.
    await exchange.call("DELETE", "submission/c/a/lawrence", "kevin", timestamp=answer["timestamp"])
    return response.status, "", contents(stored.body)


@pytest.mark.filterwarnings("ignore::aiohttp.BadContentDispositionHeader")
async def test_a_small_body_means_what_it_means_to_aiohttp(taught: Exchange, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, body in (SPLIT | NOT_SPLIT).items():
        assert (multipart.split(body, b"B") is not None) == (name in SPLIT), name
        whole = await outcome(taught, body)
        with monkeypatch.context() as context:
            context.setattr(form, "SMALL_BODY", 0)
            assert whole == await outcome(taught, body), name
        assert whole[0] in (200, 400), name
        assert whole[2] in (None, SENT), name
    assert taught.left_in_staging() == []


CONTENT_TYPES = (
    'multipart/form-data; boundary="B"',
    "multipart/form-data;boundary=B",
    "Multipart/Form-Data; charset=utf-8; Boundary=B",
    "multipart/form-data; boundary=B; boundary=C",
    "multipart/form-data",
    "multipart/form-data; boundary=" + "B" * 71,
)


async def test_a_boundary_is_the_one_that_aiohttp_sees(taught: Exchange, monkeypatch: pytest.MonkeyPatch) -> None:
    assert multipart.boundary_in(TYPE) == b"B"
    for content_type in CONTENT_TYPES:
        assert multipart.boundary_in(content_type) is None
        whole = await outcome(taught, PLAIN, content_type)
        with monkeypatch.context() as context:
            context.setattr(form, "SMALL_BODY", 0)
            assert whole == await outcome(taught, PLAIN, content_type), content_type


def test_what_the_plug_ins_send_is_split(tmp_path: Path) -> None:
    (tmp_path / "p").write_bytes(b"x" * 1000)
    body = Body({"key": "k", "after": "2020-01-01 00:00:00.000001 UTC"}, [LocalFile("ü/p", str(tmp_path / "p"), 1000)])
    boundary = multipart.boundary_in(body.content_type)
    assert boundary is not None
    fields = multipart.split(b"".join(body), boundary)
    assert fields is not None
    assert [name for name, _ in fields] == ["key", "after", "files"]
