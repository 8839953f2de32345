"""Answers with a tree, as the plug-ins read them, against `json`, `base64` and what then lies in the folder."""

import hashlib
import tempfile
from pathlib import Path
from typing import Any

from ngshare_fs.exchange.receiving import tree_in_answer
from ngshare_fs.exchange.receiving.received_tree import Part
from ngshare_fs.exchange.receiving.tree_in_answer import TreeInAnswer
from ngshare_fs.formats import json_stream
from ngshare_fs.formats.json_stream import NotJson
from tests.fuzz.base64_text import content_of
from tests.fuzz.cutting import limits, text_and_cuts, ways_to_arrive
from tests.fuzz.json_text import DEEPEST, LONGEST_NUMBER, NoJson, value_of

LONGEST_TEXT = 96
DICTIONARY = (
    b'{"success":true,"files":[{"path":"a","content":"QQ=="}]}', b',{"path":"a","content":"QUJD"}', b'"files":[{',
    b'"content":"', b'"content":', b"QUJD", b"Q\\nQ==", b"\\n", b"\\u0051", b"\\ud800", b'"', b"}]}", b"null", b"\\",
)  # fmt: skip
_folder = tempfile.TemporaryDirectory(prefix="fuzz-")


def check(data: bytes) -> None:
    """Raise unless an answer is understood as Python does, with the contents of its files in the folder."""
    with (
        limits(json_stream, DEEPEST=DEEPEST, LONGEST_NUMBER=LONGEST_NUMBER),
        limits(tree_in_answer, LONGEST_TEXT=LONGEST_TEXT),
    ):
        text, _ = text_and_cuts(data)
        try:
            wanted = [_with_contents(value_of(text), ())]
        except NoJson:
            wanted = None
        outcomes = [_outcome_of(pieces) for pieces in ways_to_arrive(data)]
        assert all(repr(outcome) == repr(outcomes[0]) for outcome in outcomes), outcomes
        # A text that is too long is refused, too.
        if wanted is None:
            assert outcomes[0] is None
        elif len(text) <= LONGEST_TEXT:
            assert repr(outcomes[0]) == repr(wanted), (outcomes[0], wanted)


def _outcome_of(pieces: list[bytes]) -> Any:
    """The answer, in a list; None where it is refused."""
    answer = TreeInAnswer(_folder.name)
    try:
        for piece in pieces:
            answer.feed(piece)
            assert len(answer._text) <= LONGEST_TEXT
        return [_with_contents(answer.finish(), ())]
    except NotJson:
        return None


def _with_contents(value: Any, keys: tuple[str, ...]) -> Any:
    """A value, and in place of each content of a file what it is, or None where it is no base64."""
    if isinstance(value, dict):
        return {key: _with_contents(inner, (*keys, key)) for key, inner in value.items()}
    if isinstance(value, list):
        return [_with_contents(inner, (*keys, "[]")) for inner in value]
    if keys[:1] != ("files",) or keys[2:] != ("content",):
        return value
    if isinstance(value, Part):
        content = Path(value.place).read_bytes() if value.size else b""
        assert (value.size, value.md5) == (len(content), hashlib.md5(content).hexdigest())
        return content
    return content_of(value.encode("utf-8", "replace")) if isinstance(value, str) else value
