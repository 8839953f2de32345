"""From a request for a page to the page: who asks, the checks, what the page reads, the template."""

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from types import MappingProxyType
from typing import Any

from aiohttp import web
from aiohttp.typedefs import Handler

from ngshare_fs.access import cross_site, permission
from ngshare_fs.access.identity import USER, Caller, Identity
from ngshare_fs.access.permission import Asking
from ngshare_fs.api.blocking import Blocking
from ngshare_fs.formats.chosen_zip import UnfitZip
from ngshare_fs.http import refusals
from ngshare_fs.http.error_responses import refusal_of
from ngshare_fs.http.mere_look import MERE_LOOK
from ngshare_fs.http.refusals import NOT_SIGNED_IN, Refusal, Refused
from ngshare_fs.settings import Settings
from ngshare_fs.store import Role, StoreError, Volume, dates
from ngshare_fs.web.frame.addresses import Addresses, name_in, number_in
from ngshare_fs.web.frame.download import Download, HandedOut
from ngshare_fs.web.frame.forms import WITH_FILES, XSRF_FIELD, check_values, form_of, read_form, values_of
from ngshare_fs.web.frame.page import Asks, Chosen, Done, Form, Page, Prepared, UploadForm, Wrong
from ngshare_fs.web.frame.rendering import Frame, page, refusal_page
from ngshare_fs.web.frame.uploads import Uploads
from ngshare_fs.web.frame.visit import Visit
from ngshare_fs.web.handing_out import hand_out
from ngshare_fs.web.texts.language import preferred
from ngshare_fs.web.untrusted.showing import Showing

logger = logging.getLogger(__name__)

# Says what a form has done, to the page that it leads to: a key of ours and a number, never a text.
DONE, COUNT = "done", "count"
# Shows times in the browser's zone, too.
TIMES = "times.js"


@dataclass(frozen=True)
class Look:
    """A request whose user is known.

    Args:
        request: as it came.
        caller: who it is.
        names: those in its path.
        frame: what is around the page that answers it.
        now: when it came.
    """

    request: web.Request
    caller: Caller
    names: dict[str, str]
    frame: Frame
    now: datetime


Answer = Callable[[Look], Awaitable[web.StreamResponse]]


@dataclass(frozen=True)
class Pages:
    """What all pages share.

    Args:
        settings: of the server.
        volume: where everything is.
        blocking: where slow calls run.
        identity: knows who asks.
        met: notes somebody who was let into a course.
        showing: shows what others wrote.
        menu: the pages that others lead to.
        uploads: takes forms with files.
    """

    settings: Settings
    volume: Volume
    blocking: Blocking
    identity: Identity
    met: Callable[[str, Caller], None]
    showing: Showing
    menu: Sequence[Page]
    uploads: Uploads

    def shows(self, declared: Page) -> Handler:
        """The handler that shows a page."""

        async def show(look: Look) -> web.StreamResponse:
            return await self._page(declared, look)

        return self._handler(show, declared)

    def takes(self, declared: Page) -> Handler:
        """The handler that takes what the forms of a page send."""
        files = None if declared.upload is None else self._takes_files(declared, declared.upload)

        async def handle(request: web.Request) -> web.StreamResponse:
            if files is not None and request.content_type == WITH_FILES:
                return await files(request)
            sent = await read_form(request, declared.takes_small_files)

            async def take(look: Look) -> web.StreamResponse:
                form = form_of(declared, sent)
                values = values_of(form, sent)
                try:
                    done = await self.blocking.manage(self._act, declared, form, look, values)
                except Wrong as error:
                    return await self._page(declared, look, error, values)
                if isinstance(done, Asks):
                    return await self._page(declared, look, values=values, asks=done)
                return _leading_to(done, look)

            return await self._handler(take, declared, sent.get(XSRF_FIELD, ""))(request)

        return self._refusing(handle)

    def _takes_files(self, declared: Page, form: UploadForm) -> Handler:
        async def handle(request: web.Request) -> web.StreamResponse:
            now = dates.now()  # when it began to arrive decides whether work is in time to be accepted
            arriving = self.uploads(request)
            xsrf = await arriving.first(XSRF_FIELD)
            if xsrf is None:
                xsrf = request.headers.get(cross_site.XSRF_HEADER, "")

            async def take(look: Look) -> web.StreamResponse:
                # A character has up to four bytes.
                fields = {field.name: 4 * field.longest for field in form.fields}
                try:
                    async with arriving.received(
                        look.caller, look.names, now, form.action, fields, form.zips
                    ) as received:
                        visit, prepared = await self.blocking.read(
                            self._prepare, declared, form, look, arriving.texts, received.files
                        )
                        answer = await received.perform(prepared.arguments, prepared.files)
                        done = await self.blocking.read(form.done, visit, answer)
                except Wrong as error:
                    return await self._page(declared, look, error, values_of(form, arriving.texts))
                except (Refused, StoreError, UnfitZip) as error:
                    refused = Refused(refusal_of(request, error)) if isinstance(error, StoreError) else error
                    explained = form.explain(refused)
                    if explained is None:
                        if isinstance(error, UnfitZip):
                            raise Refused(refusals.MALFORMED_BODY) from error
                        raise
                    # Whatever has become of the files, the form has what was written, its key above all.
                    response = await self._page(declared, look, explained, values_of(form, arriving.texts))
                    if isinstance(refused, Refused) and refused.refusal.retry_after is not None:
                        response.headers["Retry-After"] = str(refused.refusal.retry_after)
                    return response
                return _leading_to(done, look)

            return await self._handler(take, declared, xsrf)(request)

        return handle

    def _prepare(
        self, declared: Page, form: UploadForm, look: Look, texts: Mapping[str, str], files: Chosen
    ) -> tuple[Visit, Prepared]:
        visit, values = self._visit(declared, look), values_of(form, texts)
        check_values(form, values)
        return visit, form.prepare(visit, values, files)

    def hands_out(self, declared: Download) -> Handler:
        """The handler that hands out what is no page."""

        async def send(look: Look) -> web.StreamResponse:
            opened = await self.blocking.read(self._open, declared, look)
            return await hand_out(look.request, self.blocking, self.showing, look.frame, opened)

        return self._handler(send, declared)

    async def nowhere(self, request: web.Request) -> web.StreamResponse:
        """There is no such page."""
        if "Authorization" in request.headers:
            raise web.HTTPNotFound
        return await refusal_page(request, self.settings.prefix, refusals.UNKNOWN_PATH)

    def _handler(self, answer: Answer, declared: Page | Download, xsrf: str | None = None) -> Handler:
        async def handle(request: web.Request) -> web.StreamResponse:
            now = dates.now()
            caller = await self._caller(request, xsrf)
            names = {key: name_in(segment) for key, segment in request.match_info.items()}
            look = Look(request, caller, names, self._frame(request, caller, names, declared), now)
            try:
                response = await answer(look)
            except (Refused, StoreError) as error:
                if "Authorization" in request.headers:
                    raise
                refusal = error.refusal if isinstance(error, Refused) else refusal_of(request, error)
                return await self._refusal(look, refusal)
            if "course" in names:
                self.met(names["course"], caller)
            return response

        return self._refusing(handle)

    def _refusing(self, handler: Handler) -> Handler:
        """Refuse with a page, also where nobody knows yet who asks.

        Whoever sends a token is a program, and parses every answer as JSON. Who is not signed in is sent to the hub,
        but for what they were about to send, which would be lost.
        """

        async def handle(request: web.Request) -> web.StreamResponse:
            try:
                return await handler(request)
            except Refused as error:
                is_to_sign_in = error.refusal is NOT_SIGNED_IN and request.method in cross_site.SAFE_METHODS
                if is_to_sign_in or "Authorization" in request.headers:
                    raise
                return await refusal_page(request, self.settings.prefix, error.refusal)
            except (web.HTTPException, StoreError, ConnectionError):
                raise
            except Exception:
                if "Authorization" in request.headers:
                    raise
                logger.exception("%s %s failed", request.method, request.rel_url.raw_path)
                return await refusal_page(request, self.settings.prefix, refusals.FAILURE)

        return handle

    async def _caller(self, request: web.Request, xsrf: str | None) -> Caller:
        try:
            caller = await self.identity.from_headers(request, writes=xsrf is not None, sent=xsrf)
        except Refused as error:
            # So a hub looks, each minute, whether its service is there: any answer will do.
            is_by_a_program = not cross_site.is_navigation(request) and "Cookie" not in request.headers
            request[MERE_LOOK] = error.refusal is NOT_SIGNED_IN and is_by_a_program
            raise
        if caller is None:
            caller = self.identity.from_arguments(request, request.query.get("user"), is_page=True)
        request[USER] = caller.name
        return caller

    async def _refusal(self, look: Look, refusal: Refusal) -> web.StreamResponse:
        around = replace(look.frame, title=f"status.{refusal.status}", scripts=())
        return await refusal_page(look.request, self.settings.prefix, refusal, frame=around)

    async def _page(
        self,
        declared: Page,
        look: Look,
        wrong: Wrong | None = None,
        values: Mapping[str, str] = MappingProxyType({}),
        asks: Asks | None = None,
    ) -> web.StreamResponse:
        around, content = await self.blocking.read(self._read, declared, look)
        shown: dict[str, Any] = {"problems": {}, "told": {}, "values": values, "asks": asks and asks.content}
        if wrong is not None:
            shown |= {"problems": wrong.problems, "told": wrong.told}
        return await page(declared.template, around, 200 if wrong is None else wrong.status, **shown, **content)

    def _read(self, declared: Page, look: Look) -> tuple[Frame, Mapping[str, Any]]:
        visit = self._visit(declared, look)
        addresses = look.frame.addresses
        # Who has left a course goes on seeing what they have handed in, but not the pages above it.
        trail = [
            (above.title, addresses(above.path, look.names))
            for above in declared.trail
            if permission.may(visit.asking, above.conditions, visit.people)
        ]
        around = replace(look.frame, zone=visit.zone, trail=trail, menu=self._menu(declared, visit, addresses))
        return around, declared.read(visit)

    def _menu(self, declared: Page, visit: Visit, addresses: Addresses) -> Sequence[tuple[str, str]]:
        """The pages of the same course, or of none, that somebody may see; the one that is shown has no address."""
        about_course = declared.conditions.course
        return [
            (each.template, "" if each is declared else addresses(each.path, visit.asking.names))
            for each in self.menu
            if each.conditions.course == about_course
            and (visit.role is Role.STUDENT or not each.for_students)
            and permission.may(visit.asking, each.conditions, visit.people)
        ]

    def _act(self, declared: Page, form: Form, look: Look, values: Mapping[str, str]) -> Done | Asks:
        visit = self._visit(declared, look, form)
        check_values(form, values)
        return form.action(visit, values)

    def _open(self, declared: Download, look: Look) -> HandedOut:
        return declared.opens(self._visit(declared, look))

    def _visit(self, declared: Page | Download, look: Look, form: Form | None = None) -> Visit:
        """Somebody who may be here: the checks are made in the thread that reads or acts."""
        caller = look.caller
        asking = Asking(self.volume, caller.name, caller.is_admin, caller.creates_courses, caller.groups, look.names)
        conditions = declared.conditions
        if form is not None:
            conditions = replace(conditions, who=form.who or conditions.who, writes=True)
        people = permission.check(asking, conditions)
        scheme = "https" if cross_site.is_https(look.request) else "http"
        server = f"{scheme}://{look.request.host}{self.settings.prefix}"
        language = look.frame.language
        return Visit(asking, conditions, caller, people, look.request.query, look.now, self.settings, server, language)

    def _frame(self, request: web.Request, caller: Caller, names: dict[str, str], declared: Page | Download) -> Frame:
        is_standalone = self.settings.standalone
        addresses = Addresses(self.settings.prefix, caller.name if is_standalone else None)
        scripts = (TIMES, *declared.scripts) if isinstance(declared, Page) else ()
        return Frame(
            preferred(request.headers.get("Accept-Language", "")),
            addresses,
            declared.title if isinstance(declared, Page) else "title.preview",
            names,
            user=caller.name,
            is_admin=caller.is_admin,
            xsrf=caller.session.xsrf if caller.session else None,
            is_standalone=is_standalone,
            done=request.query.get(DONE, ""),
            count=number_in(request.query.get(COUNT)) or 0,
            host=request.host,
            scripts=scripts,
            sends=isinstance(declared, Page) and declared.upload is not None,
        )


def _leading_to(done: Done, look: Look) -> web.Response:
    address = look.frame.addresses(done.path, done.names, **{**done.query, DONE: done.what, COUNT: done.count})
    return web.Response(status=303, headers={"Location": address})
