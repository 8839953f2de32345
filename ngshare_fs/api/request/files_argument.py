"""A directory tree in a request, `[{"path", "content", "checksum"}, ...]`, turned into files as it arrives."""

import hashlib
from dataclasses import dataclass, field
from typing import Protocol

from ngshare_fs.formats.base64_stream import Base64Stream, NotBase64
from ngshare_fs.formats.json_stream import JsonStream, NotJson, unescaped
from ngshare_fs.formats.percent_encoding import decoded
from ngshare_fs.http import refusals
from ngshare_fs.http.refusals import Refusal, Refused
from ngshare_fs.store import IncomingFile, Upload
from ngshare_fs.store.errors import IllegalPath

# A longer path is illegal, a longer checksum wrong, a longer key none of ours; so nobody needs to remember more.
LONGEST_TEXT = 64 * 1024

# The errors of a tree in the order in which the API reports them.
_RANK = (
    refusals.FILES_NOT_JSON,
    refusals.WRONG_FORMAT,
    refusals.ILLEGAL_PATH,
    refusals.NOT_BASE64,
    refusals.WRONG_CHECKSUM,
)


class Checksum(Protocol):
    """What `hashlib` makes; it names no type for it."""

    def update(self, data: bytes | memoryview, /) -> None: ...

    def hexdigest(self) -> str: ...


@dataclass(slots=True)
class ArrivingFile:
    """One entry as it arrives. A request may have very many of them, so each has nothing that it does not need.

    Args:
        pieces: decoded content that has not been moved to the volume yet.
        held: bytes of it.
        size: bytes of all that has come of the content.
        md5: of what came before and is on the volume, or on its way there, if the content is large.
        staged: the file that holds that; known once the writing has begun.
        path: see `IncomingFile`.
        checksum: what its sender says.
        has_content: whether it has any, be it empty.
        corrupt: whether that is no base64.
    """

    pieces: list[bytes] = field(default_factory=list)
    held: int = 0
    size: int = 0
    md5: Checksum | None = None
    staged: str | None = None
    path: str | None = None
    checksum: str | None = None
    has_content: bool = False
    corrupt: bool = False


class TreeInRequest:
    """Understands the argument `files`.

    Args:
        max_files: how many entries a tree may have.
    """

    def __init__(self, max_files: int) -> None:
        self._max_files = max_files
        self._json = JsonStream(self)
        self._wrong: set[Refusal] = set()
        self._depth = 0
        self._is_list = False
        self._in_entry = False
        self._key = ""
        self._text = bytearray()
        self._text_is_too_long = False
        self._base64 = Base64Stream()
        self._expects_value = False
        self.files: list[ArrivingFile] = []
        self.size = 0
        self.too_many = False

    def feed(self, chunk: bytes | None) -> None:
        """Take the next chunk of the decoded JSON text; None where the form's encoding was broken."""
        if refusals.FILES_NOT_JSON in self._wrong or self.too_many:
            return
        if chunk is None:
            self._refuse(refusals.FILES_NOT_JSON)
            return
        try:
            self._json.feed(chunk)
        except NotJson:
            self._refuse(refusals.FILES_NOT_JSON)

    def arrived(self) -> "ArrivedTree":
        """The text has ended, and what is large is on the volume: give what has come of it."""
        if refusals.FILES_NOT_JSON not in self._wrong:
            try:
                self._json.finish()
            except NotJson:
                self._refuse(refusals.FILES_NOT_JSON)
        if self._wrong & {refusals.FILES_NOT_JSON, refusals.WRONG_FORMAT}:
            return ArrivedTree([], frozenset(self._wrong))
        files, self.files = self.files, []
        files.reverse()
        # One by one, so that they are never all there twice.
        checksums = [file.checksum for file in reversed(files)]
        arrived = [as_incoming(files.pop()) for _ in range(len(files))]
        return ArrivedTree(arrived, frozenset(self._wrong), checksums)

    def opened(self, is_object: bool) -> None:
        if self._depth == 0:
            self._is_list = not is_object
            if is_object:
                self._refuse(refusals.WRONG_FORMAT)
        elif self._depth == 1 and self._is_list:
            if not is_object:
                self._refuse(refusals.WRONG_FORMAT)
            elif len(self.files) == self._max_files:
                self.too_many = True
                raise NotJson("too many files")
            else:
                self._in_entry = True
                self.files.append(ArrivingFile())
        elif self._depth == 2 and self._in_entry and self._key in ("path", "content", "checksum"):
            self._refuse(refusals.WRONG_FORMAT)
        self._depth += 1

    def closed(self) -> None:
        self._depth -= 1
        if self._depth == 1 and self._in_entry:
            self._in_entry = False
            self._end_entry(self.files[-1])

    def string(self, piece: bytes, last: bool, is_key: bool) -> None:
        if self._in_entry and self._depth == 2 and not is_key and self._key == "content":
            self._content(piece, last)
            return
        text = self._short_text(piece, last)
        if not last:
            return
        if is_key:
            self._key = text or ""
            return
        if self._depth < 2 or not self._in_entry:
            self._refuse(refusals.WRONG_FORMAT)
        elif self._depth == 2:
            entry = self.files[-1]
            if self._key == "path":
                entry.path = "" if text is None else text  # both are illegal
            elif self._key == "checksum":
                entry.checksum = (text or "none").lower()

    def scalar(self, token: bytes) -> None:
        if self._depth < 2 or (self._depth == 2 and self._in_entry and self._key in ("path", "content")):
            self._refuse(refusals.WRONG_FORMAT)
        elif self._depth == 2 and self._in_entry and self._key == "checksum":
            if token != b"null":
                self._refuse(refusals.WRONG_FORMAT)
            else:
                self.files[-1].checksum = None

    def _content(self, piece: bytes, last: bool) -> None:
        if not self._expects_value:
            if self.files[-1].has_content:
                # The key came twice, and the last one counts. The first content is perhaps still being written.
                self.size -= self.files[-1].size
                self.files[-1] = ArrivingFile(path=self.files[-1].path, checksum=self.files[-1].checksum)
            self.files[-1].has_content = True
            self._base64 = Base64Stream()
        entry = self.files[-1]
        self._expects_value = not last
        if entry.corrupt:
            unescaped(piece)
            return
        try:
            # Nearly always there is nothing in it but base64, with or without line breaks.
            plain = piece if b"\\" not in piece else _without_line_breaks(piece)
            content = self._base64.feed(plain)
            if last:
                self._base64.finish()
        except NotBase64:
            unescaped(piece)  # not even JSON, perhaps
            entry.corrupt = True
            return
        if b"\n" in piece or b"\t" in piece or b"\r" in piece:
            unescaped(piece)
        if content and not self._wrong:
            entry.size += len(content)
            self.size += len(content)
            entry.held += len(content)
            entry.pieces.append(content)

    def _end_entry(self, entry: ArrivingFile) -> None:
        if entry.path is None or not entry.has_content:
            self._refuse(refusals.WRONG_FORMAT)
        elif entry.corrupt:
            self._refuse(refusals.NOT_BASE64)

    def _short_text(self, piece: bytes, last: bool) -> str | None:
        """The whole string at its last piece; None before, and for one that is too long to be of use."""
        if not self._text_is_too_long and len(self._text) + len(piece) > LONGEST_TEXT:
            self._text_is_too_long = True
            unescaped(bytes(self._text))  # it is not JSON, perhaps: nobody has looked yet
            self._text.clear()
        if self._text_is_too_long:
            unescaped(piece)
        else:
            self._text += piece
        if not last:
            return None
        text = None if self._text_is_too_long else unescaped(bytes(self._text))
        self._text_is_too_long = False
        self._text.clear()
        return text

    def _refuse(self, refusal: Refusal) -> None:
        self._wrong.add(refusal)


@dataclass(frozen=True)
class ArrivedTree:
    """A tree that has arrived; another process can take it over.

    Args:
        files: nothing where the text is not what it should be; where the content of one waits in memory, its checksum
            is still to be computed.
        wrong: what is wrong with it so far.
        checksums: of each file, what its sender says.
    """

    files: list[IncomingFile]
    wrong: frozenset[Refusal]
    checksums: list[str | None] = field(default_factory=list)

    @property
    def size(self) -> int:
        """What the files take, in bytes."""
        return sum(file.size for file in self.files)

    def hand_to(self, upload: Upload) -> None:
        """Check the rest, and hand the files to the upload. Takes a while: not for the event loop.

        Raises:
            Refused: the tree is refused; the first reason in the API's order.
        """
        wrong = set(self.wrong)
        for file in self.files:
            _add_checksum(file)
        if any(said not in (None, file.md5) for said, file in zip(self.checksums, self.files, strict=True)):
            wrong.add(refusals.WRONG_CHECKSUM)
        try:
            upload.accept(self.files)
        except IllegalPath:
            wrong.add(refusals.ILLEGAL_PATH)
        for refusal in _RANK:
            if refusal in wrong:
                raise Refused(refusal)


@dataclass(frozen=True)
class EncodedTree:
    """A small tree as it was sent. Whoever writes it understands it first: that is not for the event loop either.

    Args:
        text: JSON.
        is_percent_encoded: whether it is, as of a URL-encoded form.
        max_files: how many entries it may have.
    """

    text: bytes
    is_percent_encoded: bool
    max_files: int

    @property
    def size(self) -> int:
        """About what the files take, in bytes: nearly all of it is base64, of which four characters are three bytes."""
        characters = len(self.text) - (2 * self.text.count(b"%") if self.is_percent_encoded else 0)
        return characters * 3 // 4

    def hand_to(self, upload: Upload) -> None:
        """See `ArrivedTree.hand_to`; also refused where it has too many entries."""
        tree = TreeInRequest(self.max_files)
        tree.feed(decoded(self.text) if self.is_percent_encoded else self.text)
        if tree.too_many:
            raise too_many_files(self.max_files)
        tree.arrived().hand_to(upload)


def too_many_files(most: int) -> Refused:
    """The refusal of a tree with more files than `most`."""
    return Refused(refusals.TOO_LARGE, limits={refusals.MAX_FILES: most})


def as_incoming(file: ArrivingFile) -> IncomingFile:
    """A file all of which has arrived; where its content waits in memory, its checksum is still to be computed."""
    assert file.path is not None
    if file.md5 is None:
        return IncomingFile(file.path, file.size, "", b"".join(file.pieces))
    return IncomingFile(file.path, file.size, file.md5.hexdigest(), staged=file.staged)


def _add_checksum(file: IncomingFile) -> None:
    if file.content is not None:
        file.md5 = hashlib.md5(file.content, usedforsecurity=False).hexdigest()


def _without_line_breaks(piece: bytes) -> bytes:
    if b"\\\\" not in piece:
        piece = piece.replace(b"\\n", b"").replace(b"\\r", b"").replace(b"\\/", b"/")
    return piece if b"\\" not in piece else unescaped(piece).encode("utf-8", errors="replace")
