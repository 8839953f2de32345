"""The arguments of a request: from its query string and its body, which is understood as it arrives."""

import asyncio
import re
import time
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field

from aiohttp import BodyPartReader, MultipartReader, StreamReader, hdrs, web
from aiohttp.http_exceptions import HttpProcessingError

from ngshare_fs.api.blocking import Blocking
from ngshare_fs.api.request.budget import Budget, LargeTrees, Room
from ngshare_fs.api.request.files_argument import ArrivedTree, EncodedTree, TreeInRequest, too_many_files
from ngshare_fs.api.request.spill import Spill
from ngshare_fs.formats import multipart
from ngshare_fs.formats.percent_encoding import UrlencodedFields, decoded, fields_of
from ngshare_fs.http import refusals
from ngshare_fs.http.pace import Pace, too_large
from ngshare_fs.http.refusals import Refusal, Refused
from ngshare_fs.store import Upload

FILES = "files"
# What can stand in a header of multipart/form-data, in the other encoding too.
FIELD_NAME = re.compile(r"[^\x00-\x1f\x7f]+")
LONGEST_NAME = 64 * 1024
# A body of this many bytes arrives in memory as a whole: most submissions by far.
SMALL_BODY = 384 * 1024
# Understood in one go. Other requests get their turn in between, at least this often.
CHUNK = 128 * 1024
LONGEST_TURN_SECONDS = 0.005
PIECE = 16 * 1024
# What all bodies of a process may take in memory while they arrive and wait to be written, and those of one user.
MOST_MEMORY = 64 * 2**20
MOST_MEMORY_OF_ONE = MOST_MEMORY // 4
# The large ones of them: a few that arrive slowly must not keep a roster or a small submission waiting.
MOST_MEMORY_OF_LARGE = MOST_MEMORY * 3 // 4
# What they take: a small body, which waits as it came, here and in the process that writes; a larger one, most of which
# is on the volume at any time; a file, be it empty; and a text, which may be JSON, once it is understood.
SMALL_BODY_TAKES = 2
LARGE_BODY_TAKES = 2 * 2**20
FILE_TAKES = 512
TEXT_TAKES = 4
# What they may have in staging, as multiples of the largest request.
MOST_STAGED = 16
MOST_STAGED_OF_ONE = 2

_large_trees = LargeTrees()


@dataclass
class Form:
    """The arguments of one request.

    A context manager: on leaving, what was not published is gone.

    Args:
        texts: the last value of each argument, white space around it dropped; None where it is no UTF-8 text.
        tree: the argument `files`, if there is one.
        upload: where its files are.
    """

    upload: Upload
    texts: dict[str, str | None] = field(default_factory=dict)
    tree: ArrivedTree | EncodedTree | None = None
    _files: int = field(default=0, init=False)

    def __enter__(self) -> "Form":
        return self

    def __exit__(self, *_: object) -> None:
        _large_trees.leave(self._files)
        self.upload.discard()

    def text(self, name: str, missing: Refusal, malformed: Refusal = refusals.MALFORMED_TEXT) -> str:
        """An argument that has to be there; it may be empty.

        Raises:
            Refused: it is missing or malformed.
        """
        if name not in self.texts:
            raise Refused(missing)
        value = self.texts[name]
        if value is None:
            raise Refused(malformed)
        return value

    def optional(self, name: str) -> str | None:
        """An argument that may be missing.

        Raises:
            Refused: it is malformed.
        """
        return self.text(name, refusals.MALFORMED_TEXT) if name in self.texts else None

    def files(self) -> Upload:
        """The directory tree, ready to be published.

        Raises:
            Refused: it is missing, or refused.
        """
        if self.tree is None:
            raise Refused(refusals.NO_FILES)
        # From here on the upload has it. Held twice by all who wait for the disk, it would take a rush's memory.
        tree, self.tree = self.tree, None
        tree.hand_to(self.upload)
        del tree
        _large_trees.enter(len(self.upload.files))
        self._files = len(self.upload.files)
        return self.upload


class FormReader:
    """Reads forms.

    Args:
        blocking: where the volume's slow calls run.
        max_request: the longest body, in bytes.
        max_files: the most entries of a tree.
    """

    def __init__(self, blocking: Blocking, max_request: int, max_files: int) -> None:
        self._blocking = blocking
        self._max_request = max_request
        self._max_files = max_files
        self._memory = Budget(MOST_MEMORY, MOST_MEMORY_OF_ONE)
        self._large = Budget(MOST_MEMORY_OF_LARGE, MOST_MEMORY_OF_ONE)
        self._disk = Budget(MOST_STAGED * max_request, MOST_STAGED_OF_ONE * max_request)

    def room_for(self, user: str | None) -> Room:
        """What a request of this user will hold; None where nobody knows yet whose it is. The caller releases it."""
        return Room(self._memory.holding(user), self._large.holding(user), self._disk.holding(user))

    async def read(self, request: web.Request, upload: Upload, wanted: Mapping[str, int], room: Room) -> Form:
        """Read the query string and the body.

        Args:
            upload: where the files of a tree go.
            wanted: the arguments to keep, and how many bytes each may have; what else comes is passed over.
            room: what the request holds.

        Raises:
            Refused: the body is too large, too slow or malformed, or too much is under way.
            StoreError: the volume could not take the files.
        """
        intake = _Intake(upload, self._blocking, self._max_files, wanted, room)
        try:
            await intake.take_whole(request.rel_url.raw_query_string.encode("utf-8", "surrogateescape"))
            if request.body_exists:
                await self._read_body(request, intake, room)
            await intake.finish()
        finally:
            await intake.close()
        return intake.form

    async def _read_body(self, request: web.Request, intake: "_Intake", room: Room) -> None:
        length, small = request.content_length or 0, is_small(request)
        if length > self._max_request:
            raise too_large(self._max_request)
        if not small:
            await room.large.admit(LARGE_BODY_TAKES)
        await room.memory.admit(length * SMALL_BODY_TAKES if small else LARGE_BODY_TAKES)
        if request.headers.get(hdrs.EXPECT, "").lower() == "100-continue" and request.transport is not None:
            request.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        try:
            # aiohttp lets the parser of e-mail read it: longer than a small body takes, anew for each boundary.
            boundary = multipart.boundary_in(request.headers.get(hdrs.CONTENT_TYPE, ""))
            content_type = "multipart/form-data" if boundary is not None else request.content_type
            if content_type == "application/x-www-form-urlencoded":
                if small:
                    await intake.take_whole(await self._whole(request))
                else:
                    await intake.take_urlencoded(self._chunks(request))
            elif content_type == "multipart/form-data":
                if small:
                    await self._take_multipart(request, boundary, intake)
                else:
                    await self._read_multipart(await request.multipart(), intake)
            else:
                async for _ in self._chunks(request):
                    pass  # as far as the API is concerned, there are no arguments in it
        except (web.RequestPayloadError, HttpProcessingError, asyncio.IncompleteReadError, ValueError) as error:
            raise Refused(refusals.MALFORMED_BODY) from error

    async def _chunks(self, request: web.Request) -> AsyncIterator[bytes]:
        pace = Pace(self._max_request)
        while not request.content.at_eof():
            # What is here already needs no watch.
            chunk = request.content.read_nowait(CHUNK) or await pace.wait_for(request.content.read(CHUNK))
            pace.received(len(chunk))
            yield chunk

    async def _whole(self, request: web.Request) -> bytes:
        return b"".join([chunk async for chunk in self._chunks(request)])

    async def _take_multipart(self, request: web.Request, boundary: bytes | None, intake: "_Intake") -> None:
        body = await self._whole(request)
        fields = None if boundary is None else multipart.split(body, boundary)
        if fields is not None:
            await intake.take_fields(fields)
            return
        again = StreamReader(request.protocol, len(body), loop=asyncio.get_running_loop())
        # In pieces: the reader puts what is left of one back after each part, and copies it.
        for start in range(0, len(body), PIECE):
            again.feed_data(body[start : start + PIECE])
        again.feed_eof()
        await self._read_multipart(MultipartReader(request.headers, again), intake)

    async def _read_multipart(self, reader: MultipartReader, intake: "_Intake") -> None:
        pace = Pace(self._max_request)
        while (part := await pace.next_part(reader)) is not None:
            if not isinstance(part, BodyPartReader):
                raise Refused(refusals.MALFORMED_BODY)
            last = False
            while not last:
                chunk = await pace.wait_for(part.read_chunk(CHUNK))
                pace.received(len(chunk))
                last = part.at_eof()
                await intake.take(part.name or "", chunk, last)


class _Intake:
    """Sorts the pieces of fields, however they were encoded, into a form."""

    def __init__(
        self, upload: Upload, blocking: Blocking, max_files: int, wanted: Mapping[str, int], room: Room
    ) -> None:
        self.form = Form(upload)
        self._max_files = max_files
        self._wanted = wanted
        self._memory, self._allowed = room.memory, room.allowed
        self._tree: TreeInRequest | None = None
        self._files = 0
        self._spill = Spill(upload, blocking, room.disk)
        self._text = bytearray()
        self._text_is_malformed = False
        self._within_files = False
        self._turn_began = time.monotonic()

    async def take_whole(self, encoded: bytes) -> None:
        """Take a query string, or a small body; what it has of a tree is understood later."""
        for name, value in fields_of(encoded):
            if name == FILES and FILES in self._wanted:
                self.form.tree = EncodedTree(value, True, self._max_files)
            else:
                await self._take_encoded(name, value, True)
            await self._let_others_in()

    async def take_fields(self, fields: list[tuple[str, bytes]]) -> None:
        """The same of the fields of a small body in the other encoding."""
        for name, value in fields:
            if name == FILES and FILES in self._wanted:
                self.form.tree = EncodedTree(value, False, self._max_files)
            else:
                await self.take(name, value, True)
            await self._let_others_in()

    async def take_urlencoded(self, chunks: AsyncIterator[bytes]) -> None:
        """Take a body as it arrives."""
        fields = UrlencodedFields()
        async for chunk in chunks:
            for piece in fields.feed(chunk):
                await self._take_encoded(*piece)
                await self._let_others_in()
            if fields.waiting > LONGEST_NAME:
                raise Refused(refusals.TOO_LARGE)
        for piece in fields.feed(None):
            await self._take_encoded(*piece)

    async def _take_encoded(self, name: str, piece: bytes, last: bool) -> None:
        # What nobody wants is not even decoded.
        await self.take(name, decoded(piece) if name in self._wanted else b"", last)

    async def take(self, name: str, piece: bytes | None, last: bool) -> None:
        """Take the next piece of a field; None for one that could not be decoded.

        Raises:
            Refused: the field's name is none, or it is too large.
        """
        if len(name) > LONGEST_NAME:
            raise Refused(refusals.TOO_LARGE)
        if not FIELD_NAME.fullmatch(name):
            raise Refused(refusals.MALFORMED_FIELD)
        if name not in self._wanted:
            return
        if name == FILES:
            await self._take_files(piece, last)
            return
        if piece is None:
            self._text_is_malformed = True
        else:
            self._memory.grow(len(piece) * TEXT_TAKES)
            self._text += piece
        if len(self._text) > self._wanted[name]:
            raise Refused(refusals.TOO_LARGE)
        if last:
            self.form.texts[name] = None if self._text_is_malformed else _decoded(bytes(self._text))
            self._text.clear()
            self._text_is_malformed = False

    async def _let_others_in(self) -> None:
        if time.monotonic() - self._turn_began > LONGEST_TURN_SECONDS:
            await asyncio.sleep(0)
            self._turn_began = time.monotonic()

    async def finish(self) -> None:
        """Nothing more comes: wait until what has been taken is on the volume.

        Raises:
            StoreError: the volume could not take it.
        """
        await self._spill.finish()
        if self._tree is not None:
            self.form.tree = self._tree.arrived()

    async def close(self) -> None:
        """Wait for what is under way, so that nothing is written any more."""
        await self._spill.close()

    async def _take_files(self, piece: bytes | None, last: bool) -> None:
        if not self._within_files:
            self._tree, self._files = TreeInRequest(self._max_files), 0
            await self._spill.start_with(self._tree.files)
        self._within_files = not last
        assert self._tree is not None
        self._tree.feed(piece)
        if self._tree.too_many:
            raise too_many_files(self._max_files)
        if self._allowed is not None:
            self._allowed.check(self._tree.size)
        # Of a tree that came before in the same request, which counts no more, the estimate stays.
        self._memory.grow((len(self._tree.files) - self._files) * FILE_TAKES)
        self._files = len(self._tree.files)
        await self._spill.make_room()


def is_here(request: web.Request) -> bool:
    """Whether all of a request's body has come, if it has any, and nothing of it will be staged before the action."""
    return request.content.is_eof() and (is_small(request) or not request.body_exists)


def is_small(request: web.Request) -> bool:
    """Whether a body waits in memory as a whole, or might."""
    # A compressed body, which aiohttp unpacks, says nothing about its size.
    length = request.content_length
    return length is not None and length <= SMALL_BODY and hdrs.CONTENT_ENCODING not in request.headers


def _decoded(value: bytes) -> str | None:
    try:
        return value.decode("utf-8").strip()
    except UnicodeDecodeError:
        return None
