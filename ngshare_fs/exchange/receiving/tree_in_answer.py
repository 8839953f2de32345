"""Answers with a directory tree, understood as they arrive: contents go to files at once, and nobody holds them."""

import hashlib
import json
import os
from typing import Any

from ngshare_fs.exchange.receiving.received_tree import Part
from ngshare_fs.formats.base64_stream import Base64Stream, NotBase64
from ngshare_fs.formats.json_stream import JsonStream, NotJson, unescaped

# All other strings of an answer are names, checksums and messages.
LONGEST_TEXT = 2**20


class TreeInAnswer:
    """An answer, which becomes a dict as of `json.loads`, but for the contents of its `files`.

    In place of a content is a `Part`, or None where it was not base64.

    Args:
        folder: where the contents go; it is emptied first.
    """

    def __init__(self, folder: str) -> None:
        for name in os.listdir(folder):
            os.unlink(os.path.join(folder, name))
        self._folder = folder
        self._parts = 0
        self._json = JsonStream(self)
        self._answer: Any = None
        self._open: list[Any] = []
        self._keys: list[str] = []
        self._text = bytearray()
        self._content: _Content | None = None

    def feed(self, chunk: bytes) -> None:
        """Take the next chunk.

        Raises:
            NotJson: this cannot become an answer any more.
            OSError: a content cannot be written.
        """
        self._json.feed(chunk)

    def finish(self) -> Any:
        """The answer has ended.

        Raises:
            NotJson: too early.
        """
        self._json.finish()
        return self._answer

    def opened(self, is_object: bool) -> None:
        value: Any = {} if is_object else []
        self._put(value)
        self._open.append(value)
        self._keys.append("")

    def closed(self) -> None:
        self._open.pop()
        self._keys.pop()

    def string(self, piece: bytes, last: bool, is_key: bool) -> None:
        if not is_key and self._is_content():
            if self._content is None:
                self._content = _Content(os.path.join(self._folder, str(self._parts)))
                self._parts += 1
            self._content.take(piece, last)
            if last:
                self._put(self._content.part())
                self._content = None
            return
        self._text += piece
        if len(self._text) > LONGEST_TEXT:
            raise NotJson("a text is too long")
        if last:
            text = unescaped(bytes(self._text))
            self._text.clear()
            if is_key:
                self._keys[-1] = text
            else:
                self._put(text)

    def scalar(self, token: bytes) -> None:
        self._put(json.loads(token))

    def _is_content(self) -> bool:
        return len(self._keys) == 3 and self._keys[0] == "files" and self._keys[2] == "content"

    def _put(self, value: Any) -> None:
        if not self._open:
            self._answer = value
        elif isinstance(self._open[-1], list):
            self._open[-1].append(value)
        else:
            self._open[-1][self._keys[-1]] = value


class _Content:
    """A content on its way to a new file."""

    def __init__(self, place: str) -> None:
        self._place = place
        self._size = 0
        self._md5 = hashlib.md5(usedforsecurity=False)
        self._base64 = Base64Stream()
        self._corrupt = False

    def take(self, piece: bytes, last: bool) -> None:
        if self._corrupt:
            unescaped(piece)
            return
        try:
            # ngshare breaks base64 into lines.
            decoded = self._base64.feed(piece if b"\\" not in piece else unescaped(piece).encode())
            if last:
                self._base64.finish()
        except (NotBase64, UnicodeEncodeError):
            unescaped(piece)  # not even JSON, perhaps
            self._corrupt = True
            return
        if b"\n" in piece or b"\t" in piece or b"\r" in piece:
            unescaped(piece)
        self._md5.update(decoded)
        self._size += len(decoded)
        with open(self._place, "ab") as file:
            file.write(decoded)

    def part(self) -> Part | None:
        return None if self._corrupt else Part(self._place, self._size, self._md5.hexdigest())
