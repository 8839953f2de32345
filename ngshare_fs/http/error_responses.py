"""The one place where what was raised becomes an answer."""

import json
import logging
from collections.abc import Mapping
from types import MappingProxyType

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler, Middleware

from ngshare_fs import metrics
from ngshare_fs.formats.percent_encoding import decode_segment
from ngshare_fs.http import refusals
from ngshare_fs.http.refusals import OF_STORE_ERROR, SAYING_WHY, Refusal, Refused
from ngshare_fs.store import StoreError

logger = logging.getLogger(__name__)


def answering_failures(debug: bool) -> Middleware:
    """A middleware that answers whatever is raised.

    Args:
        debug: add the reason to `Permission denied`.
    """

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            _check_head(request)
            return await handler(request)
        except Refused as error:
            if error.refusal.status == 403:
                metrics.count("auth_refusals_total", error.refusal.message)
            reason = f" ({error.reason})" if debug and error.reason else ""
            return answer(error.refusal, (f" ({error.detail})" if error.detail else "") + reason, error.limits)
        except StoreError as error:
            return answer(refusal_of(request, error), f" ({error})" if isinstance(error, SAYING_WHY) else "")
        except web.HTTPNotFound:
            if "Authorization" in request.headers:
                return answer(refusals.UNKNOWN_PATH)
            return web.Response(status=404, text="<h1>404 Not Found</h1>\n", content_type="text/html")
        except web.HTTPMethodNotAllowed as error:
            response = answer(refusals.WRONG_METHOD)
            response.headers["Allow"] = ", ".join(sorted(error.allowed_methods))
            return response
        except web.HTTPException as error:
            return answer(Refusal(error.status, error.reason))
        except ConnectionError:
            raise  # nobody is there to hear an answer
        except Exception:
            logger.exception("%s %s failed", request.method, request.rel_url.raw_path)
            return answer(refusals.FAILURE)

    return middleware


def answer(refusal: Refusal, reason: str = "", limits: Mapping[str, int] = MappingProxyType({})) -> web.Response:
    """The answer that a refusal is.

    Args:
        reason: added to the message.
        limits: see `Refused`.
    """
    body = json.dumps({"success": False, "message": refusal.message + reason, **limits}).encode()
    response = web.Response(status=refusal.status, body=body, content_type="application/json", charset="utf-8")
    if refusal.retry_after is not None:
        response.headers["Retry-After"] = str(refusal.retry_after)
    if refusal.status in (408, 413) or refusal == refusals.QUOTA_REACHED:
        response.force_close()  # the rest of the body is not wanted
    return response


def _check_head(request: web.Request) -> None:
    if len(request.headers.getall(hdrs.AUTHORIZATION, ())) > 1:
        # A proxy or a log may have looked at the other one.
        raise Refused(refusals.TWO_AUTHORIZATIONS)
    try:
        decode_segment(request.rel_url.raw_path)
    except ValueError:
        raise Refused(refusals.MALFORMED_URL) from None


def refusal_of(request: web.Request, error: StoreError) -> Refusal:
    """What an error of the store is to whoever asked; the log says which one it was, where that is not their affair."""
    refusal = OF_STORE_ERROR.get(type(error), refusals.FAILURE)
    if refusal.status >= 500:
        logger.error("%s %s: %s: %s", request.method, request.rel_url.raw_path, type(error).__name__, error)
    return refusal
