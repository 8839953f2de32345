"""Forms with files of pages: what they send arrives as the API's requests do, and what is done with it is the API's."""

import json
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from aiohttp import web

from ngshare_fs.access.identity import Caller
from ngshare_fs.api.call import Call
from ngshare_fs.api.dispatch import Dispatcher
from ngshare_fs.api.endpoint import Endpoint
from ngshare_fs.api.endpoints.table import ENDPOINTS
from ngshare_fs.api.request.file_form import Bounds, FileForm
from ngshare_fs.api.request.files_argument import ArrivedTree
from ngshare_fs.api.request.form import Form
from ngshare_fs.store import IncomingFile

_ENDPOINTS = {(endpoint.method, endpoint.path): endpoint for endpoint in ENDPOINTS}


@dataclass
class ReceivedForm:
    """A form all of which has come, and what can be done with it.

    Args:
        files: the field of each, and the file with the path that the browser has given.
    """

    files: Sequence[tuple[str, IncomingFile]]
    _dispatcher: Dispatcher
    _endpoint: Endpoint
    _call: Call
    is_performed: bool = field(default=False, init=False)

    async def perform(self, arguments: Mapping[str, str], files: Sequence[IncomingFile]) -> Mapping[str, Any]:
        """Let the API do it: its answer.

        Args:
            arguments: of the API's action, but for its files.
            files: of those that came, with the paths that they are to have.

        Raises:
            Refused, StoreError: it was not done, or nobody knows whether it will last.
        """
        self._call.form.texts.update(arguments)
        self._call.form.tree = ArrivedTree(list(files), frozenset(), [None] * len(files))
        # From here on whoever does it looks after the upload, also where nobody waits for it any more.
        self.is_performed = True
        body = await self._dispatcher.perform(self._call, self._endpoint)
        assert isinstance(body, bytes), self._endpoint.path
        answer: dict[str, Any] = json.loads(body)
        return answer


class ArrivingForm:
    """A form while it arrives; pages know it as `ngshare_fs.web.frame.uploads.Arriving`.

    Args:
        dispatcher: does what the API does.
        bounds: what the form is held to.
        request: whose body it is.

    Raises:
        Refused: it is none.
    """

    def __init__(self, dispatcher: Dispatcher, bounds: Bounds, request: web.Request) -> None:
        self._dispatcher = dispatcher
        self._form = FileForm(request, dispatcher.blocking, bounds)

    @property
    def texts(self) -> Mapping[str, str]:
        """What was written, as far as it has come."""
        return self._form.texts

    async def first(self, name: str) -> str | None:
        """See `FileForm.first`."""
        return await self._form.first(name)

    @asynccontextmanager
    async def received(
        self,
        caller: Caller,
        names: Mapping[str, str],
        arrived: datetime,
        action: tuple[str, str],
        fields: Mapping[str, int],
        zips: Collection[str],
    ) -> AsyncIterator[ReceivedForm]:
        """All of the form, once it has come; on leaving, what nothing was done with is gone.

        Args:
            caller: who sends it.
            names: those in the address of the page.
            arrived: when its head did.
            action: method and path of the API's action, which has the same names; whoever may not do that is refused
                before the files arrive.
            fields, zips: see `FileForm.rest`.

        Raises:
            Refused, StoreError, UnfitZip: see `Dispatcher.check` and `FileForm.rest`.
        """
        dispatcher, endpoint = self._dispatcher, _ENDPOINTS[action]
        upload = dispatcher.volume.upload()
        call = dispatcher.call(caller, names, Form(upload), arrived, via="page")
        room = dispatcher.forms.room_for(caller.name)
        found: ReceivedForm | None = None
        try:
            with dispatcher.met_limits(names):
                await self._form.texts_before_files(fields)
                allowed = await dispatcher.check(call, endpoint)
                files = await self._form.rest(upload, fields, zips, replace(room, allowed=allowed))
                found = ReceivedForm(files, dispatcher, endpoint, call)
                yield found
        finally:
            if (found is None or not found.is_performed) and upload.staging_folder is not None:
                await dispatcher.blocking.write(upload.discard)
            room.release()
