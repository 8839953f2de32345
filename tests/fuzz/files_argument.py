"""The argument `files`, against `json`, `base64` and `hashlib`: which files there are, or why it is refused."""

import hashlib
import json
from typing import Any

from ngshare_fs.api.request import files_argument
from ngshare_fs.api.request.files_argument import TreeInRequest
from ngshare_fs.formats import json_stream
from ngshare_fs.http import refusals
from ngshare_fs.http.refusals import Refusal, Refused
from ngshare_fs.store.errors import IllegalPath
from ngshare_fs.store.writing.upload import IncomingFile, without_duplicates
from tests.fuzz.base64_text import content_of
from tests.fuzz.cutting import limits, text_and_cuts, ways_to_arrive
from tests.fuzz.json_text import DEEPEST, LONGEST_NUMBER, NoJson, value_of

MOST_FILES = 3
LONGEST_TEXT = 96
ENTRY = b'{"path":"a","content":"QQ=="}'
DICTIONARY = (
    b"[" + ENTRY + b"]", b"," + ENTRY,
    b'"path":', b'"content":', b'"checksum":', b'"QUJD"', b"QUJD", b"Q\\nQ==", b"null",
    b'"checksum":"7fc56270e7a70fa81a5935b72eacbe29"', b"\\/", b"\\u0051", b'"a/b"', b'"../a"', b'"', b"\\", b'"x":[{',
    b"\\ud800", b"\xc3\xa9", b"\\u0000",
)  # fmt: skip

# An entry as it stands in the text: keys that came twice are there twice.
Pairs = list[tuple[str, Any]]


class OtherUpload:
    """Takes the files as an upload does, and has no folder."""

    def __init__(self) -> None:
        self.files: list[IncomingFile] = []

    def accept(self, files: Any) -> None:
        self.files = without_duplicates(files)


def check(data: bytes) -> None:
    """Raise unless the argument has the files that it should have, or is refused for the reason that comes first."""
    with (
        limits(json_stream, DEEPEST=DEEPEST, LONGEST_NUMBER=LONGEST_NUMBER),
        limits(files_argument, LONGEST_TEXT=LONGEST_TEXT),
    ):
        text, _ = text_and_cuts(data)
        outcomes = [outcome_of(pieces) for pieces in ways_to_arrive(data)]
        wanted = wanted_of(text)
        if refusals.TOO_LARGE in outcomes:
            # Whether what follows were JSON, nobody looks, unless it arrived with the entry that is one too many.
            assert {wanted, *outcomes} <= {refusals.TOO_LARGE, refusals.FILES_NOT_JSON}, (outcomes, wanted)
        else:
            assert all(outcome == outcomes[0] for outcome in outcomes), outcomes
            assert wanted is None or outcomes[0] == wanted, (outcomes[0], wanted)


Outcome = Refusal | tuple[tuple[str, bytes], ...] | None


def outcome_of(pieces: list[bytes]) -> Outcome:
    """What the product makes of the argument."""
    tree = TreeInRequest(MOST_FILES)
    for piece in pieces:
        tree.feed(piece)
        assert len(tree.files) <= MOST_FILES
        assert len(tree._text) <= LONGEST_TEXT
        if tree.too_many:
            return refusals.TOO_LARGE
    upload: Any = OtherUpload()
    try:
        tree.arrived().hand_to(upload)
    except Refused as refused:
        return refused.refusal
    for file in upload.files:
        assert file.size == len(file.content)
        assert file.md5 == hashlib.md5(file.content).hexdigest()
    return tuple((file.path, file.content) for file in upload.files)


def wanted_of(text: bytes) -> Outcome:
    """The same, made of a text that is there as a whole; None where a text in it may be too long to be remembered."""
    try:
        value_of(text)
    except NoJson:
        return refusals.FILES_NOT_JSON
    tree = json.loads(text, object_pairs_hook=_Entry)
    if isinstance(tree, list) and sum(isinstance(entry, _Entry) for entry in tree) > MOST_FILES:
        return refusals.TOO_LARGE
    if not isinstance(tree, list) or not all(isinstance(entry, _Entry) and entry.has_shape() for entry in tree):
        return None if _has_long_text(tree) else refusals.WRONG_FORMAT
    return None if _has_long_text(tree) else _files_of(tree)


def _files_of(tree: list["_Entry"]) -> Outcome:
    wrong = []
    contents = [content_of(entry.values["content"].encode("utf-8", "replace")) for entry in tree]
    files = []
    for entry, content in zip(tree, contents, strict=True):
        if content is None:
            wrong.append(refusals.NOT_BASE64)
        elif entry.checksum() not in (None, hashlib.md5(content).hexdigest()):
            wrong.append(refusals.WRONG_CHECKSUM)
        files.append(IncomingFile(entry.values["path"], 0, "", content))
    try:
        kept = without_duplicates(files)
    except IllegalPath:
        wrong.append(refusals.ILLEGAL_PATH)
    for refusal in (refusals.ILLEGAL_PATH, refusals.NOT_BASE64, refusals.WRONG_CHECKSUM):
        if refusal in wrong:
            return refusal
    return tuple((file.path, file.content or b"") for file in kept)


class _Entry:
    def __init__(self, pairs: Pairs) -> None:
        self.pairs = pairs
        self.values = dict(pairs)

    def checksum(self) -> str | None:
        """What its sender says, in the letters that hashlib uses."""
        said = self.values.get("checksum")
        return None if said is None else str(said).lower()

    def has_shape(self) -> bool:
        """Whether each of the three has the right type wherever it is given, and the two that have to be there are."""
        kinds: dict[str, Any] = {"path": str, "content": str, "checksum": (str, type(None))}
        return {"path", "content"} <= self.values.keys() and all(
            isinstance(value, kinds.get(key, object)) for key, value in self.pairs
        )


def _has_long_text(value: Any) -> bool:
    """Whether a text of it may have more bytes, escapes as they stand, than are remembered."""
    if isinstance(value, str):
        return 6 * len(value.encode("utf-16", "surrogatepass")) // 2 > LONGEST_TEXT
    if isinstance(value, _Entry):
        return any(_has_long_text(key) or (key != "content" and _has_long_text(inner)) for key, inner in value.pairs)
    return isinstance(value, list) and any(map(_has_long_text, value))
