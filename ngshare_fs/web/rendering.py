"""Pages from templates, and the headers that every page has."""

import asyncio
import functools
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from aiohttp import web

from ngshare_fs.http.refusals import Refusal

if TYPE_CHECKING:
    import jinja2


# No script runs, nothing is framed, nothing is loaded from elsewhere, and no other window may hold on to the page.
PAGE_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}


@functools.cache
def _templates() -> "jinja2.Environment":
    # Not at the start: most processes never show a page, nbgrader does not ask for any.
    import jinja2

    loader = jinja2.PackageLoader("ngshare_fs.web")
    made = jinja2.Environment(
        loader=loader, autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, auto_reload=False
    )
    # A text as Python code has it: a name may hold quotes, backslashes and line ends.
    made.filters["as_python"] = repr
    return made


async def add_headers(request: web.Request, response: web.StreamResponse) -> None:
    """Give an answer the headers that keep it from being misused; a signal of aiohttp's."""
    response.headers["X-Content-Type-Options"] = "nosniff"
    if response.content_type == "text/html":
        response.headers.update(PAGE_HEADERS)


async def page(template: str, prefix: str, status: int = 200, **content: Any) -> web.Response:
    """A page, made in a thread: the first one loads the templates, and a long one takes its time.

    Args:
        template: the file of this name, without its ending.
        prefix: where the service is.
        content: what the template asks for.
    """
    text = await asyncio.to_thread(_text, f"{template}.html", prefix=prefix, **content)
    return web.Response(status=status, text=text, content_type="text/html")


def _text(file: str, **content: Any) -> str:
    return _templates().get_template(file).render(**content)


async def refusal_page(refusal: Refusal, prefix: str, more: str = "") -> web.Response:
    """A page that says why there is none.

    Args:
        more: what to do about it.
    """
    title = HTTPStatus(refusal.status).phrase
    response = await page("refusal", prefix, refusal.status, title=title, message=refusal.message, more=more)
    if refusal.retry_after is not None:
        response.headers["Retry-After"] = str(refusal.retry_after)
    return response
