"""What the application gives to pages that take files: they do not know the API, whose actions they let do the work."""

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Any, Protocol

from aiohttp import web

from ngshare_fs.access.identity import Caller
from ngshare_fs.store import IncomingFile
from ngshare_fs.web.frame.page import Chosen


class Received(Protocol):
    """A form all of which has come."""

    @property
    def files(self) -> Chosen:
        """What was chosen."""

    async def perform(self, arguments: Mapping[str, str], files: Sequence[IncomingFile]) -> Mapping[str, Any]:
        """Let the API do what the form is for: its answer.

        Raises:
            Refused, StoreError: it was not done, or nobody knows whether it will last.
        """


class Arriving(Protocol):
    """A form while it arrives."""

    @property
    def texts(self) -> Mapping[str, str]:
        """What was written, by field, as far as it has come."""

    async def first(self, name: str) -> str | None:
        """The text of the first field, if this is its name."""

    def received(
        self,
        caller: Caller,
        names: Mapping[str, str],
        arrived: datetime,
        action: tuple[str, str],
        fields: Mapping[str, int],
        zips: Collection[str],
    ) -> AbstractAsyncContextManager[Received]:
        """All of it, once it has come; on leaving, what nothing was done with is gone.

        Args:
            caller: who sends it.
            names: those in the address of the page.
            arrived: when it began to arrive.
            action, fields, zips: see `UploadForm`; fields with the bytes that each may have.

        Raises:
            Refused, StoreError, UnfitZip: it is not taken.
        """


# Raises Refused where it is no such form.
Uploads = Callable[[web.Request], Arriving]
