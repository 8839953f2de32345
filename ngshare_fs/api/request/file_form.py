"""A form with files, as a browser sends it: a few texts, then files, which go to the volume as they arrive."""

import asyncio
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from aiohttp import BodyPartReader, MultipartReader, hdrs, web
from aiohttp.http_exceptions import HttpProcessingError

from ngshare_fs.api.blocking import Blocking
from ngshare_fs.api.request.budget import Room
from ngshare_fs.api.request.files_argument import ArrivingFile, as_incoming, too_many_files
from ngshare_fs.api.request.form import (
    CHUNK,
    FILE_TAKES,
    LARGE_BODY_TAKES,
    SMALL_BODY_TAKES,
    is_small,
)
from ngshare_fs.api.request.spill import MOST_HELD, Spill
from ngshare_fs.api.request.zip_in_form import size_of_zip, unpack
from ngshare_fs.http import refusals
from ngshare_fs.http.pace import Pace, too_large
from ngshare_fs.http.refusals import Refused
from ngshare_fs.store import IncomingFile, Upload

# As browsers write it (the standard of HTML: "multipart form data"): quotes and line ends are percent-encoded, and
# nothing else is, so that no other parser of headers will do: a backslash stands for itself.
_DISPOSITION = re.compile(r'form-data; *name="([^"]*)"(?:; *filename="([^"]*)")?', re.IGNORECASE)
_ENCODED = {"%22": '"', "%0D": "\r", "%0A": "\n", "%0d": "\r", "%0a": "\n"}

# Of the first field, which is looked at before anybody knows who is asking.
LONGEST_FIRST = 1024
# More than any form has. Each part takes time, however little is in it.
MOST_TEXTS = 1000


@dataclass(frozen=True)
class Bounds:
    """What forms with files are held to.

    Args:
        max_request: the longest body in bytes, and the most that zips may have in them.
        max_files: the most files.
    """

    max_request: int
    max_files: int


# The field of each file, and the file with the path that the browser has given; what was in a zip has its field.
Files = list[tuple[str, IncomingFile]]


class FileForm:
    """A form while it arrives.

    Args:
        request: its body is multipart/form-data.
        blocking: where the volume's slow calls run.
        bounds: what it is held to.

    Attributes:
        texts: what was written, as far as it has come: the last value of each field.

    Raises:
        Refused: it is none.
    """

    def __init__(self, request: web.Request, blocking: Blocking, bounds: Bounds) -> None:
        if request.content_type != "multipart/form-data":
            raise Refused(refusals.MALFORMED_BODY)
        self._request = request
        self._blocking = blocking
        self._bounds = bounds
        self._pace = Pace(bounds.max_request)
        self._next: tuple[BodyPartReader, str, str | None] | None = None
        self._number_of_texts = 0
        self.texts: dict[str, str] = {}
        try:
            self._reader = MultipartReader(request.headers, request.content)
        except (ValueError, AssertionError) as error:
            raise Refused(refusals.MALFORMED_BODY) from error

    async def first(self, name: str) -> str | None:
        """The text of the first field, if this is its name; otherwise None, and nothing of it is passed over.

        Raises:
            Refused: the body is malformed, or too slow.
        """
        try:
            await self._advance()
            if self._next is None or self._next[1:] != (name, None):
                return None
            text = await self._text(self._next[0], LONGEST_FIRST)
            self._next = None
            return text
        except _MALFORMED as error:
            raise Refused(refusals.MALFORMED_BODY) from error

    async def texts_before_files(self, fields: Mapping[str, int]) -> None:
        """Read the texts that come before the files, so that they are known whatever becomes of the files.

        Args:
            fields: those to keep, and how many bytes each may have; what else comes is passed over.

        Raises:
            Refused: the body is malformed, too slow, or a text is too large.
        """
        try:
            while await self._advance() and not self._next_is_file():
                await self._take_text(fields)
        except _MALFORMED as error:
            raise Refused(refusals.MALFORMED_BODY) from error

    async def rest(self, upload: Upload, fields: Mapping[str, int], zips: Collection[str], room: Room) -> Files:
        """Read all that is left.

        Args:
            upload: where the files go.
            fields: see `texts_before_files`.
            zips: the fields whose files are zips, which are unpacked.
            room: what the request holds.

        Raises:
            Refused: the body is too large, too slow or malformed, or too much is under way.
            UnfitZip: a zip is not taken.
            StoreError: the volume could not take the files.
        """
        length, small = self._request.content_length or 0, is_small(self._request)
        if length > self._bounds.max_request:
            raise too_large(self._bounds.max_request)
        if not small:
            await room.large.admit(LARGE_BODY_TAKES)
        await room.memory.admit(length * SMALL_BODY_TAKES if small else LARGE_BODY_TAKES)
        intake = _Intake(self._pace, Spill(upload, self._blocking, room.disk), room, self._bounds)
        try:
            while await self._advance():
                if self._next_is_file():
                    await intake.take_file(*self._taken())
                else:
                    await self._take_text(fields)
            await intake.spill.finish()
        except _MALFORMED as error:
            raise Refused(refusals.MALFORMED_BODY) from error
        finally:
            await intake.spill.close()
        return await self._unpacked(intake.arrived(), upload, zips, room)

    async def _unpacked(self, files: Files, upload: Upload, zips: Collection[str], room: Room) -> Files:
        found: Files = []
        size = sum(file.size for name, file in files if name not in zips)
        # Those behind a zip count as well.
        number = sum(name not in zips for name, _ in files)
        for name, file in files:
            if name not in zips:
                found.append((name, file))
                continue
            bounds = (self._bounds.max_files - number, self._bounds.max_request - size)
            unpacked = await self._blocking.read(size_of_zip, file, *bounds)
            size += unpacked
            if room.allowed is not None:
                room.allowed.check(size)
            room.disk.grow(unpacked)
            room.memory.grow(min(unpacked, MOST_HELD))
            for each in await self._blocking.write(unpack, file, upload, *bounds):
                found.append((name, each))
                number += 1
                room.memory.grow(FILE_TAKES)
        return found

    async def _advance(self) -> bool:
        """Go to the next part, unless there is one that nobody has looked at yet."""
        if self._next is None:
            part = await self._pace.next_part(self._reader)
            if part is None:
                return False
            if not isinstance(part, BodyPartReader):
                raise Refused(refusals.MALFORMED_BODY)
            said = _DISPOSITION.fullmatch(part.headers.get(hdrs.CONTENT_DISPOSITION, ""))
            if said is None or hdrs.CONTENT_TRANSFER_ENCODING in part.headers:
                raise Refused(refusals.MALFORMED_BODY)
            self._next = part, said[1], None if said[2] is None else _decoded(said[2])
        return True

    def _taken(self) -> tuple[BodyPartReader, str, str | None]:
        assert self._next is not None
        taken, self._next = self._next, None
        return taken

    def _next_is_file(self) -> bool:
        return self._next is not None and bool(self._next[2])

    async def _take_text(self, fields: Mapping[str, int]) -> None:
        part, name, filename = self._taken()
        self._number_of_texts += 1
        if self._number_of_texts > MOST_TEXTS:
            raise Refused(refusals.MALFORMED_BODY)
        if name in fields and filename is None:
            self.texts[name] = await self._text(part, fields[name])
        else:
            await self._pass_over(part)  # such as a place for files where none was chosen

    async def _text(self, part: BodyPartReader, longest: int) -> str:
        text = bytearray()
        while not part.at_eof():
            chunk = await self._pace.wait_for(part.read_chunk(CHUNK))
            self._pace.received(len(chunk))
            text += chunk
            if len(text) > longest:
                raise Refused(refusals.TOO_LARGE)
        try:
            return text.decode("utf-8")
        except UnicodeDecodeError:
            raise Refused(refusals.MALFORMED_TEXT) from None

    async def _pass_over(self, part: BodyPartReader) -> None:
        while not part.at_eof():
            self._pace.received(len(await self._pace.wait_for(part.read_chunk(CHUNK))))


class _Intake:
    """Takes the parts of a form."""

    def __init__(self, pace: Pace, spill: Spill, room: Room, bounds: Bounds) -> None:
        self.spill = spill
        self._pace = pace
        self._room = room
        self._bounds = bounds
        self._files: list[ArrivingFile] = []
        self._fields: list[str] = []
        self._size = 0

    async def take_file(self, part: BodyPartReader, name: str, filename: str | None) -> None:
        if not self._files:
            await self.spill.start_with(self._files)
        if len(self._files) == self._bounds.max_files:
            raise too_many_files(self._bounds.max_files)
        self._room.memory.grow(FILE_TAKES)
        file = ArrivingFile(path=filename, has_content=True)
        self._files.append(file)
        self._fields.append(name)
        while not part.at_eof():
            chunk = await self._pace.wait_for(part.read_chunk(CHUNK))
            self._pace.received(len(chunk))
            file.pieces.append(chunk)
            file.held += len(chunk)
            file.size += len(chunk)
            self._size += len(chunk)
            if self._room.allowed is not None:
                self._room.allowed.check(self._size)
            await self.spill.make_room()

    def arrived(self) -> Files:
        return [(name, as_incoming(file)) for name, file in zip(self._fields, self._files, strict=True)]


# What aiohttp raises where a body is not what it should be.
_MALFORMED = (web.RequestPayloadError, HttpProcessingError, asyncio.IncompleteReadError, ValueError)


def _decoded(filename: str) -> str:
    return re.sub("%22|%0[AaDd]", lambda found: _ENCODED[found[0]], filename)
