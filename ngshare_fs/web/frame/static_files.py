"""Style and scripts: their addresses have a mark of their content, so that browsers keep each version for long."""

import functools
import hashlib
import re
from collections.abc import Iterable, Mapping
from importlib.resources import files as package_files

from aiohttp import web

from ngshare_fs.http import refusals
from ngshare_fs.http.refusals import Refused

FOLDER = "static/"
_TYPES = {"css": "text/css", "js": "text/javascript"}
_FOR_LONG = "public, max-age=31536000, immutable"
# What can stand in a policy as it is; of an address that cannot, no script is loaded, and pages work without.
_PLAIN_HOST = re.compile(r"[A-Za-z0-9._-]+(:[0-9]+)?")
_PLAIN_PATH = re.compile(r"[A-Za-z0-9._~%@!$&*+=:/-]+")


@functools.cache
def contents() -> Mapping[str, bytes]:
    """All files by name; the first call reads them, and is for the start of the server."""
    return {file.name: file.read_bytes() for file in package_files("ngshare_fs.web").joinpath(FOLDER).iterdir()}


@functools.cache
def _mark(name: str) -> str:
    return hashlib.sha256(contents()[name]).hexdigest()[:16]


def address_of(prefix: str, name: str) -> str:
    """Where a file is.

    Args:
        prefix: of the service.
        name: of the file.
    """
    return f"{prefix}{FOLDER}{name}?{_mark(name)}"


async def serve(request: web.Request) -> web.Response:
    """A file, for long where the address has its mark: another version of this server may have made the address."""
    name = request.match_info["name"]
    content = contents().get(name)
    if content is None:
        raise Refused(refusals.UNKNOWN_PATH)
    keep = _FOR_LONG if request.rel_url.raw_query_string == _mark(name) else "no-cache"
    headers = {"Cache-Control": keep, "Cross-Origin-Resource-Policy": "same-origin"}
    return web.Response(body=content, content_type=_TYPES[name.rpartition(".")[2]], charset="utf-8", headers=headers)


def allowing(policy: str, host: str, prefix: str, scripts: Iterable[str], sends: bool) -> str:
    """A Content-Security-Policy that also lets these scripts run.

    Each is named with its path: on a hub of one address, files of all users' servers are of the same origin.

    Args:
        policy: without scripts.
        host: of the request.
        prefix: of the service.
        scripts: names of our files.
        sends: whether they send anything to our pages.
    """
    places = [f"{host}{prefix}{FOLDER}{name}" for name in scripts]
    if not places or not _PLAIN_HOST.fullmatch(host) or not _PLAIN_PATH.fullmatch(prefix):
        return policy
    connect = f"; connect-src {host}{prefix}pages/" if sends else ""
    return f"{policy}; script-src {' '.join(places)}{connect}"
