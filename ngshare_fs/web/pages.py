"""The pages: for now, the one at the prefix."""

from dataclasses import dataclass
from importlib.resources import files as package_files

from aiohttp import web
from aiohttp.typedefs import Handler

from ngshare_fs.access import cross_site
from ngshare_fs.access.identity import USER, Caller, Identity
from ngshare_fs.access.roles import courses_seen_by, grades, in_words, role_in
from ngshare_fs.api.blocking import Blocking
from ngshare_fs.http.mere_look import MERE_LOOK
from ngshare_fs.http.refusals import NOT_SIGNED_IN, OF_STORE_ERROR, Refused
from ngshare_fs.settings import Settings
from ngshare_fs.store import StoreError, Volume, course, roster
from ngshare_fs.store.errors import CourseNotFound
from ngshare_fs.store.problems import Problems
from ngshare_fs.terminal.installation import how_to_install
from ngshare_fs.web.rendering import add_headers, page, refusal_page

STYLE = "static/style.css"


@dataclass(frozen=True)
class TakenCourse:
    """A course, as its page shows it to somebody.

    Args:
        name: its name.
        role: what they are there.
        problem: what is wrong with its file, for those who may know.
    """

    name: str
    role: str
    problem: str | None = None


def add_routes(
    application: web.Application, settings: Settings, volume: Volume, blocking: Blocking, identity: Identity
) -> None:
    """Serve the pages below the prefix."""
    prefix = settings.prefix
    style = package_files("ngshare_fs.web").joinpath(STYLE).read_text("utf-8")

    async def start(request: web.Request) -> web.Response:
        try:
            caller = await identity.from_headers(request, writes=False)
        except Refused as error:
            # So a hub looks, each minute, whether its service is there: any answer will do.
            is_by_a_program = not cross_site.is_navigation(request) and "Cookie" not in request.headers
            request[MERE_LOOK] = error.refusal is NOT_SIGNED_IN and is_by_a_program
            raise
        if caller is None:
            caller = identity.from_arguments(request, request.query.get("user"), is_page=True)
        request[USER] = caller.name
        return await page(
            "start",
            prefix,
            user=caller.name,
            is_admin=caller.is_admin,
            creates_courses=caller.creates_courses,
            xsrf=caller.session.xsrf if caller.session else None,
            courses=await blocking.read(_courses, volume, caller),
            standalone=settings.standalone,
            debug=settings.debug,
            courses_in_all=await blocking.read(_count, volume) if settings.debug else 0,
            how_to_install=how_to_install("nbgrader"),
        )

    async def css(request: web.Request) -> web.Response:
        return web.Response(text=style, content_type="text/css", headers={"Cache-Control": "max-age=3600"})

    async def with_slash(request: web.Request) -> web.Response:
        return web.Response(status=302, headers={"Location": prefix})

    application.router.add_get(prefix, _as_page(start, prefix))
    application.router.add_get(prefix + STYLE, css)
    if prefix != "/":
        application.router.add_get(prefix.rstrip("/"), with_slash)
    application.on_response_prepare.append(add_headers)


def _as_page(handler: Handler, prefix: str) -> Handler:
    """Refuse with a page where somebody looks at it; who is not signed in is sent to the hub instead.

    Whoever sends a token is a program, and parses every answer as JSON.
    """

    async def handle(request: web.Request) -> web.StreamResponse:
        try:
            return await handler(request)
        except Refused as error:
            if error.refusal is NOT_SIGNED_IN or "Authorization" in request.headers:
                raise
            return await refusal_page(error.refusal, prefix)
        except StoreError as error:
            if "Authorization" in request.headers:
                raise
            return await refusal_page(OF_STORE_ERROR[type(error)], prefix)

    return handle


def _courses(volume: Volume, caller: Caller) -> list[TakenCourse]:
    names = courses_seen_by(volume, caller.name, caller.is_admin, caller.groups)
    return [_taken(volume, name, caller) for name in names]


def _count(volume: Volume) -> int:
    return len(course.all_courses(volume))


def _taken(volume: Volume, name: str, caller: Caller) -> TakenCourse:
    problems = Problems(volume)
    role, word = None, "cannot be read"
    try:
        with problems.noted():
            role = role_in(name, roster.of(volume, name), caller.name, caller.groups)
            word = in_words(role)
    except CourseNotFound:
        return TakenCourse(name, "just deleted")
    problems.note_of_roster(name)
    may_know = grades(role, caller.is_admin)
    return TakenCourse(name, word, problems.first if may_know else None)
