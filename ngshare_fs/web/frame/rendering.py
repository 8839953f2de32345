"""Pages from templates, and the headers that every page has."""

import asyncio
import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aiohttp import web

from ngshare_fs.formats.byte_size import size_in_words
from ngshare_fs.formats.one_line import in_one_line
from ngshare_fs.http.refusals import Refusal
from ngshare_fs.store.dates import UTC
from ngshare_fs.web.frame import static_files
from ngshare_fs.web.frame.addresses import Addresses
from ngshare_fs.web.texts.language import preferred

if TYPE_CHECKING:
    import jinja2
    from markupsafe import Markup


_POLICY = "Content-Security-Policy"
# No script runs, nothing is framed, nothing is loaded from elsewhere, and no other window may hold on to the page.
PAGE_HEADERS = {
    _POLICY: "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}


@dataclass(frozen=True)
class Frame:
    """What is around the content of each page.

    Args:
        language: of its texts.
        addresses: makes those of other pages.
        title: the key of its title.
        names: that its title and those above it may have, and `course`, `assignment` and `user` of its address.
        trail: the keys of the titles of the pages above it, and their paths.
        user: who looks at it; None where nobody knows.
        is_admin: whether that is an admin.
        xsrf: what its forms send along; None where nobody is signed in with a browser.
        is_standalone: whether a parameter says who it is.
        zone: in which times are shown, unless the template says.
        done: the key of what a form has just done; "" for nothing.
        count: of how many.
        menu: the keys of the titles of the pages beside it, and their addresses; none for this page.
        host: that the browser asked, for scripts.
        scripts: of our files.
        sends: whether one of them sends anything.
    """

    language: str
    addresses: Addresses
    title: str = "title.ngshare"
    names: dict[str, str] | None = None
    trail: Sequence[tuple[str, str]] = ()
    user: str | None = None
    is_admin: bool = False
    xsrf: str | None = None
    is_standalone: bool = False
    zone: str = UTC
    done: str = ""
    count: int = 0
    menu: Sequence[tuple[str, str]] = ()
    host: str = ""
    scripts: Sequence[str] = ()
    sends: bool = False


def bare_frame(request: web.Request, prefix: str, title: str) -> Frame:
    """What is around a page that is nobody's: before somebody is signed in, and after that."""
    return Frame(preferred(request.headers.get("Accept-Language", "")), Addresses(prefix), title)


@functools.cache
def _templates() -> "jinja2.Environment":
    # Not at the start: most processes never show a page, nbgrader does not ask for any.
    import jinja2

    loader = jinja2.PackageLoader("ngshare_fs.web")
    made = jinja2.Environment(
        loader=loader,
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    # A text as Python code has it: a name may hold quotes, backslashes and line ends.
    made.globals["static"] = static_files.address_of
    made.filters["as_python"] = repr
    made.filters["name"] = _name
    made.filters["user"] = _user
    made.filters["size"] = size_in_words
    return made


def _name(name: str) -> "Markup":
    """Somebody's text inside of ours: it neither turns what stands around it, nor hides what it has."""
    from markupsafe import Markup

    return Markup("<bdi>{}</bdi>").format(in_one_line(name))


def _user(name: str) -> "Markup":
    from markupsafe import Markup

    return Markup('<bdi><strong id="user">{}</strong></bdi>').format(in_one_line(name))


async def add_headers(request: web.Request, response: web.StreamResponse) -> None:
    """Give an answer the headers that keep it from being misused; a signal of aiohttp's. Stricter ones stay."""
    response.headers["X-Content-Type-Options"] = "nosniff"
    if response.content_type == "text/html":
        for name, text in PAGE_HEADERS.items():
            response.headers.setdefault(name, text)


async def page(template: str, frame: Frame, status: int = 200, **content: Any) -> web.Response:
    """A page, made in a thread: the first one loads templates and texts, and a long one takes its time.

    Args:
        template: the file of this name, without its ending.
        frame: what is around it.
        content: what the template asks for.
    """
    text = await asyncio.to_thread(_text, f"{template}.html", frame, **content)
    policy = static_files.allowing(
        PAGE_HEADERS[_POLICY], frame.host, frame.addresses.prefix, frame.scripts, frame.sends
    )
    return web.Response(status=status, text=text, content_type="text/html", headers={_POLICY: policy})


def _text(file: str, frame: Frame, **content: Any) -> str:
    from ngshare_fs.web.texts.catalogue import catalogue
    from ngshare_fs.web.texts.times import Times, duration_in_words

    texts = catalogue(frame.language)
    times = Times(texts, frame.zone)
    names = {key: _name(name) for key, name in (frame.names or {}).items()}
    return _templates().get_template(file).render(
        frame=frame,
        t=texts,
        title=texts(frame.title, **names),
        trail=[(texts(title, **names), address) for title, address in frame.trail],
        menu=[(texts(f"menu.{key}"), address) for key, address in frame.menu],
        address=frame.addresses,
        times=times,
        time=times.in_words,
        brief_time=times.in_brief,
        duration=functools.partial(duration_in_words, texts),
        **content,
    )  # fmt: skip


async def refusal_page(
    request: web.Request, prefix: str, refusal: Refusal, more: str = "", frame: Frame | None = None
) -> web.Response:
    """A page that says why there is none.

    Args:
        more: the key of the text that says what to do about it.
        frame: of the page that there is not; otherwise one that is nobody's.
    """
    around = frame or bare_frame(request, prefix, f"status.{refusal.status}")
    response = await page("refusal", around, refusal.status, refusal=refusal, more=more)
    if refusal.retry_after is not None:
        response.headers["Retry-After"] = str(refusal.retry_after)
    return response
