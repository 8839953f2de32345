"""Keeps memory constant: content that is too large to wait in memory goes to the volume while the rest arrives."""

import asyncio
import contextlib
import hashlib
import os

from ngshare_fs.api.blocking import Blocking
from ngshare_fs.api.request.budget import Holding
from ngshare_fs.api.request.files_argument import ArrivingFile
from ngshare_fs.store import StoreError, Upload

# A file that grows past this is written while the rest of it arrives.
LARGE_FILE = 256 * 1024
# Of which so much at a time.
PORTION = 2**20
# Smaller files of one request that may wait in memory until the request is complete.
MOST_HELD = 2**20
# Of a large file, what may wait for the disk: others flush the same disk, and should not wait for all of it.
MOST_UNFLUSHED = 8 * 2**20


class Spill:
    """Moves the content of arriving files to the volume; the next piece arrives while the last one is written.

    Args:
        upload: gives the places.
        blocking: where slow calls run.
        disk: what the request holds of the volume's disk.
    """

    def __init__(self, upload: Upload, blocking: Blocking, disk: Holding) -> None:
        self._upload = upload
        self._blocking = blocking
        self._disk = disk
        self._files: list[ArrivingFile] = []
        self._complete = 0
        self._held: list[ArrivingFile] = []
        self._bytes_held = 0
        self._under_way: asyncio.Task[None] | None = None
        self._unflushed = 0

    async def start_with(self, files: list[ArrivingFile]) -> None:
        """Look after the files of a new tree, in place of another one that came before in the same request."""
        await self.close()
        self._files, self._complete, self._held, self._bytes_held = files, 0, [], 0

    async def make_room(self) -> None:
        """Move what has grown too large.

        Raises:
            StoreError: the volume could not take it.
            Refused: too much is staged already.
        """
        while self._complete < len(self._files):
            file = self._files[self._complete]
            more_may_come = self._complete == len(self._files) - 1
            enough = LARGE_FILE if file.md5 is None else PORTION
            if file.held > enough or (file.md5 is not None and file.held and not more_may_come):
                await self._append(file)
            if more_may_come:
                break
            self._complete += 1
            if file.md5 is None:
                self._held.append(file)
                self._bytes_held += file.held
        if self._bytes_held > MOST_HELD:
            for file in self._held:
                await self._append(file)
            self._held, self._bytes_held = [], 0

    async def finish(self) -> None:
        """Nothing more comes: move the end of a large file, and wait until all has been written.

        Raises:
            StoreError: the volume could not take it.
        """
        if self._files and self._files[-1].md5 is not None and self._files[-1].held:
            await self._append(self._files[-1])
        await self._written()

    async def close(self) -> None:
        """Wait for what is under way, whatever comes of it."""
        with contextlib.suppress(StoreError):
            await self._written()

    async def _append(self, file: ArrivingFile) -> None:
        await self._written()
        if file.md5 is None:
            file.md5 = hashlib.md5(usedforsecurity=False)
        self._disk.grow(file.held)
        self._unflushed += file.held
        pieces, file.pieces, file.held = file.pieces, [], 0
        flush = self._unflushed > MOST_UNFLUSHED
        if flush:
            self._unflushed = 0
        append = self._blocking.write(_append, self._upload, file, pieces, flush)
        self._under_way = asyncio.create_task(append)

    async def _written(self) -> None:
        if self._under_way is not None:
            # Not awaited itself: whoever is cancelled here would cancel it, and the thread would write on unwatched.
            await asyncio.wait([self._under_way])
            under_way, self._under_way = self._under_way, None
            under_way.result()


def _append(upload: Upload, file: ArrivingFile, pieces: list[bytes], flush: bool) -> None:
    assert file.md5 is not None
    if file.staged is None:
        file.staged = upload.new_file()
    with open(file.staged, "ab", buffering=0) as target:
        # In one piece: around each call the interpreter changes hands, and the event loop wants it as well.
        content = memoryview(b"".join(pieces))
        file.md5.update(content)
        while content:
            content = content[target.write(content) :]
        if flush:
            os.fdatasync(target.fileno())
