"""The log of requests: a line for each, once it is answered."""

import logging
import re

from aiohttp import web
from aiohttp.http import HttpProcessingError

from ngshare_fs.access.identity import USER
from ngshare_fs.http.client_address import client_address
from ngshare_fs.http.mere_look import MERE_LOOK
from ngshare_fs.server.request_metrics import count_answered

ACCESS_LOG = logging.getLogger("ngshare_fs.access")
# nginx's number for it: no answer was sent, because nobody was there any more to read it.
CLIENT_GONE = 499
# Under this key a request carries the address that it came from.
CLIENT = web.RequestKey("ngshare_fs.client", str)


def log_request(request: web.BaseRequest, status: int, seconds: float, size: int) -> None:
    """Write the line of one request: never its query string or headers, which may carry a token."""
    count_answered(request, CLIENT in request, status, seconds, size)
    path = request.raw_path.partition("?")[0]
    # A proxy's absolute form may carry `user:password@`.
    path = re.sub(r"^[a-zA-Z]+://[^/]*", "", path)
    user = request.get(USER)
    client = request.get(CLIENT) or client_address(request)
    fields = {"user": user, "client": client, "method": request.method, "path": path, "status": status}
    fields |= {"seconds": round(seconds, 6), "bytes": size}
    ACCESS_LOG.log(
        logging.DEBUG if request.get(MERE_LOOK) else logging.INFO,
        # The user last: a name may hold blanks.
        "%s %s %d %.3fs %dB %s %s", request.method, path, status, seconds, size, client, "-" if user is None else user,
        extra={"fields": fields},
    )  # fmt: skip


def hide_malformed(record: logging.LogRecord) -> bool:
    """A filter: what could not be parsed as a request is not quoted in the log, for it may carry a token.

    Nor is a body that is not what its headers say, which has been answered by then.
    """
    error = record.exc_info[1] if record.exc_info else None
    if isinstance(error, (HttpProcessingError, web.RequestPayloadError)):
        record.msg, record.args = "not HTTP: %s", (type(error).__name__,)
        record.exc_info, record.levelno, record.levelname = None, logging.INFO, "INFO"
    return True
