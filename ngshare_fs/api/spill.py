"""Keeps memory constant: content that is too large to wait in memory goes to the volume while the rest arrives."""

from typing import Any

import aiofiles

from ngshare_fs.api.blocking import Blocking
from ngshare_fs.api.tree_in_request import ArrivingFile
from ngshare_fs.store.directory_tree import Upload
from ngshare_fs.store.errors import from_os_error

# A file that grows past this is written while the rest of it arrives.
LARGE_FILE = 256 * 1024
# Smaller files of one request that may wait in memory until the request is complete.
MOST_HELD = 2**20


class Spill:
    """Moves the content of arriving files to the volume.

    Args:
        upload: gives the places.
        blocking: where slow calls run.
    """

    def __init__(self, upload: Upload, blocking: Blocking) -> None:
        self._upload = upload
        self._blocking = blocking
        self._files: list[ArrivingFile] = []
        self._complete = 0
        self._held: list[ArrivingFile] = []
        self._bytes_held = 0
        self._path: str | None = None
        self._open_file: Any = None

    async def start_with(self, files: list[ArrivingFile]) -> None:
        """Look after the files of a new tree, in place of another one that came before in the same request."""
        await self.close()
        self._files, self._complete, self._held, self._bytes_held = files, 0, [], 0

    async def make_room(self) -> None:
        """Move what has grown too large.

        Raises:
            StoreError: the volume could not take it.
        """
        while self._complete < len(self._files):
            file = self._files[self._complete]
            if file.staged is not None or file.held > LARGE_FILE:
                await self._append(file)
            if self._complete == len(self._files) - 1:
                break  # more of it may come
            self._complete += 1
            if file.staged is None:
                self._held.append(file)
                self._bytes_held += file.held
        if self._bytes_held > MOST_HELD:
            await self._blocking.write(self._set_aside, self._held)
            self._held, self._bytes_held = [], 0

    async def close(self) -> None:
        """Close the file that is being written.

        Raises:
            StoreError: the volume could not take what was written.
        """
        if self._open_file is not None:
            file, self._open_file, self._path = self._open_file, None, None
            try:
                await file.close()
            except OSError as error:
                raise from_os_error(error) from error

    async def _append(self, file: ArrivingFile) -> None:
        try:
            if file.staged is None:
                file.staged = await self._blocking.write(self._upload.new_file)
            if self._path != file.staged:
                await self.close()
                self._path = file.staged
                self._open_file = await aiofiles.open(file.staged, "ab", buffering=0, executor=self._blocking.writers)
            content = b"".join(file.pieces)
            file.pieces, file.held = [], 0
            written = 0
            while written < len(content):
                written += await self._open_file.write(content[written:])
        except OSError as error:
            raise from_os_error(error) from error

    def _set_aside(self, files: list[ArrivingFile]) -> None:
        for file in files:
            file.staged = self._upload.new_file()
            with open(file.staged, "xb") as target:
                target.writelines(file.pieces)
            file.pieces, file.held = [], 0
