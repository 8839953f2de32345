"""What is counted of each request."""

import re

from aiohttp import hdrs, web

from ngshare_fs import metrics

# A client may send any word as its method, and any path: whatever we do not know is one.
METHODS = hdrs.METH_ALL
OTHER = "other"

# Under this key an application has the prefix of its paths.
PREFIX = web.AppKey("ngshare_fs.prefix", str)

_routes: dict[str, str] = {}


def count_answered(request: web.BaseRequest, is_understood: bool, status: int, seconds: float, size: int) -> None:
    """Count a request that is over.

    Args:
        is_understood: whether it reached the application; what is no HTTP does not.
        status: of the answer.
        seconds: what it took.
        size: of the answer.
    """
    if not metrics.started():
        return
    method = request.method if request.method in METHODS else OTHER
    route = _route_of(request) if is_understood and isinstance(request, web.Request) else OTHER
    metrics.count("http_requests_total", method, route, str(status))
    metrics.observe("http_request_duration_seconds", seconds, method, route)
    if request.content.total_bytes:
        metrics.count("received_bytes_total", by=request.content.total_bytes)
    if size:
        metrics.count("sent_bytes_total", by=size)
    metrics.count_processor_time()


def _route_of(request: web.Request) -> str:
    """The path of the route, as it is declared, without the prefix: never a name out of a request."""
    resource = request.match_info.route.resource
    if resource is None:
        return OTHER
    path = resource.canonical
    route = _routes.get(path)
    if route is None:
        declared = re.sub(r":[^{}]*\}", "}", path)
        route = _routes[path] = declared.removeprefix(request.app[PREFIX]).lstrip("/") or "/"
    return route
