"""From a request to its answer: who asks, the arguments, the checks, the action, the answer."""

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from aiohttp import web
from aiohttp.typedefs import Handler

from ngshare_fs.access.identity import USER, Caller, Identity
from ngshare_fs.api.action import act
from ngshare_fs.api.blocking import Blocking
from ngshare_fs.api.call import Call, MadeAnswer, PageAnswer, TreeAnswer, TreesAnswer, success
from ngshare_fs.api.checks import check
from ngshare_fs.api.endpoint import Endpoint, Pool
from ngshare_fs.api.first_contact import FirstContacts
from ngshare_fs.api.quota import Allowance, allowance
from ngshare_fs.api.request.budget import Room
from ngshare_fs.api.request.form import Form, FormReader, is_here
from ngshare_fs.api.response.release_cache import ReleaseCache
from ngshare_fs.api.response.tree_answer import LargeAnswer, build_response
from ngshare_fs.api.stored_bytes import StoredBytes
from ngshare_fs.api.writer import WriteScheduler
from ngshare_fs.http import refusals
from ngshare_fs.http.entity_tag import json_answer, tagged
from ngshare_fs.http.refusals import Refused
from ngshare_fs.store import Volume, dates
from ngshare_fs.store.quota import NOT_COUNTED, Limits

# Under this key a request carries when its head arrived.
ARRIVED = web.RequestKey("ngshare_fs.arrived", datetime)


@dataclass(frozen=True)
class Dispatcher:
    """What all endpoints share.

    Args:
        volume: where everything is.
        blocking: where slow calls run.
        writes: where students' work is written.
        forms: reads the arguments.
        identity: knows who asks.
        debug: whether debug mode is on.
        ready: answers that many ask for.
        limits: how much may be stored.
        stored: what is, as far as this process knows.
        contacts: notes whom groups have brought.
    """

    volume: Volume
    blocking: Blocking
    writes: WriteScheduler
    forms: FormReader
    identity: Identity
    debug: bool
    ready: ReleaseCache
    limits: Limits
    stored: StoredBytes
    contacts: FirstContacts

    def handler(self, endpoint: Endpoint) -> Handler:
        """The handler of one endpoint."""

        async def handle(request: web.Request) -> web.StreamResponse:
            # Before anything is awaited: a hub that is slow to say who this is makes nobody late.
            request[ARRIVED] = dates.now()
            return await self._answer(request, endpoint)

        return handle

    async def expect(self, request: web.Request) -> web.Response | None:
        """Say nothing yet to `Expect: 100-continue`: the body is asked for when it is known that it is welcome."""
        return None

    async def _answer(self, request: web.Request, endpoint: Endpoint) -> web.StreamResponse:
        caller = await self.identity.from_headers(request, endpoint.writes)
        room = self.forms.room_for(None if caller is None else caller.name)
        try:
            with self.met_limits(request.match_info):
                call = await self._call(request, endpoint, caller, room)
                body = await self.perform(call, endpoint)
        finally:
            room.release()
        if caller is not None and "course" in request.match_info:
            self.contacts.met(request.match_info["course"], caller)
        if isinstance(body, PageAnswer):
            return web.Response(text=body.html, content_type="text/html")
        if not isinstance(body, bytes):
            return await self._stream(request, body)
        return tagged(request, body) if endpoint.tagged else json_answer(body)

    @contextlib.contextmanager
    def met_limits(self, names: Mapping[str, str]) -> Iterator[None]:
        """Take note of a quota that was met, so that it is soon known whether that is still so.

        Args:
            names: those in the path.
        """
        try:
            yield
        except Refused as error:
            if error.refusal == refusals.QUOTA_REACHED:
                self.stored.met_limit(names["course"])
            raise

    async def perform(self, call: Call, endpoint: Endpoint) -> bytes | PageAnswer | LargeAnswer:
        """Do what an endpoint is for, once all has arrived: what is sent in answer.

        Raises:
            Refused, StoreError: it was not done, or nobody knows whether it will last.
        """
        if not endpoint.stores_files:
            return await self._body(call, endpoint)
        size = 0 if call.form.tree is None else call.form.tree.size  # afterwards, the files are elsewhere
        body = await self._body(call, endpoint)
        self.stored.stored(call.course, size)
        return body

    async def _body(self, call: Call, endpoint: Endpoint) -> bytes | PageAnswer | LargeAnswer:
        match endpoint.pool:
            case Pool.READS:
                return await self.blocking.read(_body_of, call, endpoint, self.ready)
            case Pool.WRITES_WORK:
                return await self.writes.write(call, endpoint)
            case Pool.MANAGES:
                return await self.blocking.manage(_body_of, call, endpoint, self.ready)

    async def _call(self, request: web.Request, endpoint: Endpoint, caller: Caller | None, room: Room) -> Call:
        upload = self.volume.upload()
        is_checked = True
        allowed: Allowance | None = None
        if caller is not None:
            request[USER] = caller.name
            if endpoint.writes or request.body_exists:
                # Whoever may not do this need not send 100 MiB to hear it, nor have them unpacked and staged. Where all
                # of a small body is here, the check that comes with the action is soon enough.
                is_checked = not is_here(request)
                if is_checked:
                    allowed = await self._check(request, caller, endpoint)
        wanted = {**self.identity.arguments, **endpoint.wanted}
        try:
            form = await self.forms.read(request, upload, wanted, replace(room, allowed=allowed))
            if caller is None:
                caller = self.identity.from_arguments(request, form.optional("user"), endpoint.is_page)
                request[USER] = caller.name
        except BaseException as error:
            if upload.staging_folder is not None:
                await self.blocking.write(upload.discard)
            if isinstance(error, Refused) and caller is not None and not is_checked:
                # What they may do is said before what is wrong with the body.
                await self._check(request, caller, endpoint)
            raise
        return self._made_call(request, caller, form)

    async def check(self, call: Call, endpoint: Endpoint) -> Allowance | None:
        """Check what is known before the body is; gives what may come of files, None for whatever there is.

        Args:
            call: without arguments.

        Raises:
            Refused, StoreError: a check fails.
        """
        return await self.blocking.read(_checked, call, endpoint)

    async def _check(self, request: web.Request, caller: Caller, endpoint: Endpoint) -> Allowance | None:
        return await self.check(self._made_call(request, caller, Form(self.volume.upload())), endpoint)

    def _made_call(self, request: web.Request, caller: Caller, form: Form) -> Call:
        return self.call(caller, dict(request.match_info), form, request[ARRIVED])

    def call(self, caller: Caller, names: Mapping[str, str], form: Form, arrived: datetime, via: str = "api") -> Call:
        """A request.

        Args:
            names: those in the path.
            form, arrived, via: see `Call`.
        """
        used = self.stored.used(names["course"]) if "course" in names else NOT_COUNTED
        return Call(
            self.volume,
            caller.name,
            caller.is_admin,
            self.debug,
            names,
            form,
            arrived,
            via=via,
            limits=self.limits,
            used=used,
            groups=caller.groups,
            creates_courses=caller.creates_courses,
        )

    async def _stream(self, request: web.Request, body: LargeAnswer) -> web.StreamResponse:
        try:
            response = web.StreamResponse(headers={"Content-Type": body.content_type})
            response.content_length = body.length
            await response.prepare(request)
            try:
                await body.send(response, self.blocking)
            except BaseException:
                # The length was promised: only a cut connection tells the client that this is not the whole.
                if request.transport is not None:
                    request.transport.abort()
                raise
            await response.write_eof()
        finally:
            body.close()
        return response


def _checked(call: Call, endpoint: Endpoint) -> Allowance | None:
    check(call, endpoint)
    return allowance(call, endpoint.counts_for_student) if endpoint.stores_files else None


def _body_of(call: Call, endpoint: Endpoint, ready: ReleaseCache) -> bytes | PageAnswer | LargeAnswer:
    answer = act(call, endpoint)
    if isinstance(answer, PageAnswer):
        return answer
    if isinstance(answer, MadeAnswer):
        return answer.body
    return build_response(answer, ready) if isinstance(answer, (TreeAnswer, TreesAnswer)) else success(answer)
