"""The incremental parsers agree with Python's own, however the text is cut into chunks."""

import base64
import codecs
import itertools
import json
import re
from collections.abc import Callable
from pathlib import Path
from urllib.parse import parse_qsl, quote_plus, unquote_to_bytes, urlencode

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ngshare_fs.api.request import files_argument
from ngshare_fs.api.request.files_argument import TreeInRequest
from ngshare_fs.exchange.receiving.tree_in_answer import TreeInAnswer
from ngshare_fs.formats import percent_encoding
from ngshare_fs.formats.base64_stream import Base64Stream, NotBase64
from ngshare_fs.formats.json_stream import JsonStream, NotJson
from ngshare_fs.formats.percent_encoding import (
    MalformedPercentEncoding,
    UrlencodedFields,
    decode,
    decode_segment,
    decoded,
    fields_of,
)
from ngshare_fs.http import refusals

CUTS = st.lists(st.integers(0, 200), max_size=12)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)


def chunks(data: bytes, cuts: list[int]) -> list[bytes]:
    """The data in pieces, cut at these places."""
    places = [0, *sorted(cut % (len(data) + 1) for cut in cuts), len(data)]
    return [data[start:end] for start, end in itertools.pairwise(places)]


class Rebuilt:
    """Puts a value together again from what it is told."""

    def __init__(self) -> None:
        self.stack: list[object] = []
        self.keys: list[str] = []
        self.root: object = None
        self.raw = b""

    def _add(self, value: object) -> None:
        if not self.stack:
            self.root = value
        elif isinstance(self.stack[-1], list):
            self.stack[-1].append(value)
        else:
            assert isinstance(self.stack[-1], dict)
            self.stack[-1][self.keys.pop()] = value

    def opened(self, is_object: bool) -> None:
        value: object = {} if is_object else []
        self._add(value)
        self.stack.append(value)

    def closed(self) -> None:
        self.stack.pop()

    def string(self, piece: bytes, last: bool, is_key: bool) -> None:
        self.raw += piece
        if last:
            try:
                text = json.loads(b'"' + self.raw + b'"')
            except ValueError:
                raise NotJson("string") from None
            self.raw = b""
            if is_key:
                self.keys.append(text)
            else:
                self._add(text)

    def scalar(self, token: bytes) -> None:
        self._add(json.loads(token))


def streamed(data: bytes, cuts: list[int]) -> object:
    """What the incremental parser makes of a text."""
    rebuilt = Rebuilt()
    stream = JsonStream(rebuilt)
    for chunk in chunks(data, cuts):
        stream.feed(chunk)
    stream.finish()
    return rebuilt.root


@given(JSON, CUTS, st.booleans(), st.sampled_from([None, 1]))
def test_json_is_understood_as_by_python(value: object, cuts: list[int], ascii_only: bool, indent: int | None) -> None:
    data = json.dumps(value, ensure_ascii=ascii_only, indent=indent).encode("utf-8", "surrogatepass")
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        with pytest.raises(NotJson):
            streamed(data, cuts)
    else:
        assert streamed(data, cuts) == json.loads(data)


@given(st.text(alphabet='[]{}:,"\\ntrue0fals1.-eE+u \n', max_size=20), CUTS)
@example("[1,]", [])
@example('{"a" 1}', [])
@example("[1 2]", [2])
@example("-", [])
@example('"\\u12', [3])
@example("\ufeff[]", [])
def test_what_python_refuses_is_refused(text: str, cuts: list[int]) -> None:
    data = text.encode()
    try:
        wanted = json.loads(text)
    except ValueError:
        with pytest.raises(NotJson):
            streamed(data, cuts)
    else:
        assert streamed(data, cuts) == wanted


@pytest.mark.parametrize(
    "text", ["[" * 5000, "1" * 5000, "[NaN]", "Infinity", "", " ", "[]]", "nul", '"a\nb"', '"\\x"']
)
def test_other_nonsense_is_refused(text: str) -> None:
    with pytest.raises(NotJson):
        streamed(text.encode(), [])


@given(st.binary(max_size=200), CUTS, st.booleans())
def test_base64_is_decoded_in_any_pieces(content: bytes, cuts: list[int], wrapped: bool) -> None:
    data = base64.encodebytes(content) if wrapped else base64.b64encode(content)
    stream = Base64Stream()
    decoded = b"".join(stream.feed(chunk) for chunk in chunks(data, cuts))
    stream.finish()
    assert decoded == content


@given(st.text(alphabet="AQgw/+=-_*ä \n", max_size=12), CUTS)
@example("QQ==QQ==", [])
@example("QQ=", [1])
@example("Q===", [])
@example("====", [])
@example("=", [])
def test_nothing_but_base64_is_taken_for_it(text: str, cuts: list[int]) -> None:
    bare = re.sub("[ \n]", "", text)
    is_base64 = re.fullmatch("(?:[AQgw/+]{4})*(?:[AQgw/+]{2}==|[AQgw/+]{3}=)?", bare) is not None
    stream = Base64Stream()
    try:
        for chunk in chunks(text.encode(), cuts):
            stream.feed(chunk)
        stream.finish()
    except NotBase64:
        assert not is_base64
    else:
        assert is_base64


@given(st.lists(st.tuples(st.text(min_size=1), st.text())), CUTS)
def test_forms_are_understood_as_by_python(fields: list[tuple[str, str]], cuts: list[int]) -> None:
    data = urlencode(fields, errors="surrogatepass").encode()
    stream = UrlencodedFields()
    found: list[tuple[str, bytes]] = []
    value = b""
    for chunk in [*chunks(data, cuts), None]:
        for name, piece, last in stream.feed(chunk):
            value += decode(piece)
            if last:
                found.append((name, value))
                value = b""
    expected = parse_qsl(data.decode(), keep_blank_values=True, errors="replace")
    assert [(name, value.decode("utf-8", "replace")) for name, value in found] == expected
    whole = [(name, decode(value).decode("utf-8", "replace")) for name, value in fields_of(data)]
    assert whole == expected


@given(st.text(alphabet="&=a%", max_size=12), CUTS)
def test_whole_forms_are_understood_as_those_in_pieces(text: str, cuts: list[int]) -> None:
    stream = UrlencodedFields()
    pieces = [piece for chunk in [*chunks(text.encode(), cuts), None] for piece in stream.feed(chunk)]
    names = [name for name, _, last in pieces if last]
    broken = [decoded(piece) is None for _, piece, _ in pieces]
    whole = list(fields_of(text.encode()))
    assert [name for name, _ in whole] == names
    assert any(decoded(value) is None for _, value in whole) == any(broken)


@given(st.binary())
def test_percent_encoding_is_undone(content: bytes) -> None:
    assert decode(quote_plus(content).encode()) == content


@given(st.text(alphabet="%2BbfF=+a_- \n\r\t.", max_size=12))
def test_percent_encoding_is_understood_as_by_python(text: str) -> None:
    broken = re.search("%(?![0-9A-Fa-f]{2})", text) is not None
    try:
        found = decode(text.encode())
    except MalformedPercentEncoding:
        assert broken
    else:
        assert not broken
        assert found == unquote_to_bytes(text.replace("+", " "))


@pytest.mark.parametrize("broken", [b"%", b"a%2", b"%zz", b"%%20", b"% 1", b"%+1", b"%0x"])
def test_broken_percent_encoding_is_refused(broken: bytes) -> None:
    with pytest.raises(MalformedPercentEncoding):
        decode(broken)
    with pytest.raises(MalformedPercentEncoding):
        decode_segment(broken.decode())


def _gone(encoded: bytes) -> bytes:
    raise AttributeError("module 'codecs' has no attribute 'escape_decode'")


def _deaf_to_backslashes(encoded: bytes) -> bytes:
    return codecs.escape_decode(encoded.replace(b"+", b" ").replace(b"%", b"\\x"))[0]


@pytest.mark.parametrize("changed", [_gone, _deaf_to_backslashes, unquote_to_bytes, bytes.strip])
def test_where_pythons_fast_decoder_has_changed_the_slow_one_serves(changed: Callable[[bytes], bytes]) -> None:
    serves = percent_encoding._if_right(changed)
    assert serves is not changed
    assert serves(b"a+%2B\\n%e4%BD%a0") == b"a +\\n\xe4\xbd\xa0"
    with pytest.raises(ValueError, match="hexadecimal"):
        serves(b"100%")


def test_the_fast_decoder_serves_where_it_is_right() -> None:
    assert percent_encoding._decode is percent_encoding._as_escapes


@pytest.mark.parametrize("broken", ["%ff", "%C3", "%ED%A0%80"])
def test_a_name_that_is_not_utf8_is_refused(broken: str) -> None:
    with pytest.raises(UnicodeDecodeError):
        decode_segment(broken)


@pytest.mark.parametrize(
    "text",
    [
        b'[{"path": "a", "content": "\x00"}]',
        b'[{"path": "a", "content": "QQ\x01"}]',
        b'[{"path": "a", "content": "?\x00"}]',
        b'[{"path": "a", "content": "?", "x": "\\x"}]',
        b'[{"path": "a", "content": "QQ\n=="}]',
        b'[{"path": "a", "content": "QQ==", "x": "\n%b"}]' % (b"x" * (files_argument.LONGEST_TEXT + 1)),
        b'[{"path": "a", "content": "QQ==", "x": "\\u12%b"}]' % (b"x" * (files_argument.LONGEST_TEXT + 1)),
    ],
)
@pytest.mark.parametrize("size", [1, 7, 1000, 2**20])
def test_a_tree_that_is_no_json_is_refused_as_such_however_it_arrives(text: bytes, size: int, tmp_path: Path) -> None:
    pieces = [text[start : start + size] for start in range(0, len(text), size)]
    tree = TreeInRequest(10)
    for piece in pieces:
        tree.feed(piece)
    assert refusals.FILES_NOT_JSON in tree.arrived().wrong
    with pytest.raises(NotJson):
        _answered([b'{"files": ', *pieces, b"}"], tmp_path)


def _answered(pieces: list[bytes], folder: Path) -> object:
    answer = TreeInAnswer(str(folder))
    for piece in pieces:
        answer.feed(piece)
    return answer.finish()
