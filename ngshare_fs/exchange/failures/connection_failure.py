"""Why no answer of an exchange was had: who it is that does not answer, and what to set."""

import os
import ssl
from urllib.parse import urlsplit

import requests
from requests.utils import get_environ_proxies, select_proxy

WHERE_TO_SET = "Set it where the exchange's URL is set: NGSHARE_URL, or configure_exchange in nbgrader_config.py."
# What web servers answer to http on a port for https: nginx and HAProxy, Go, Apache.
_WANT_HTTPS = (b"HTTPS port", b"HTTPS server", b"SSL-enabled server port")


def proxy_of(url: str) -> str:
    """The proxy that the environment names for a URL, and the variable, in words; empty where there is none.

    The proxy's password is left out.
    """
    proxy = select_proxy(url, get_environ_proxies(url, no_proxy=None))
    if not proxy:
        return ""
    parts = urlsplit(proxy if "://" in proxy else f"//{proxy}")
    address = (f"{parts.scheme}://" if parts.scheme else "") + parts.netloc.rpartition("@")[2]
    wanted = (f"{urlsplit(url).scheme}_proxy", "all_proxy")
    variables = [name for want in wanted for name in (want, want.upper()) if os.environ.get(name) == proxy]
    return f"the proxy {address}" + (f" (environment variable {variables[0]})" if variables else "")


def advice_on_proxy(url: str) -> str:
    """What to do where it may be the proxy's fault; empty where there is none."""
    proxy = proxy_of(url)
    if not proxy:
        return ""
    host = urlsplit(url).hostname
    return f"It is asked through {proxy}. If no proxy is wanted for it, set NO_PROXY={host}; otherwise mend the proxy."


def reason_of(error: Exception, url: str) -> str:
    """Why a connection failed, in a few words.

    Args:
        error: what requests raised.
        url: of the server.
    """
    proxy = proxy_of(url)
    at_proxy = isinstance(error, requests.exceptions.ProxyError) and proxy
    if isinstance(error, requests.exceptions.Timeout):
        return f"{at_proxy or 'it'} does not answer"
    text = str(error)
    for sign, plain in (
        ("Connection refused", "nobody is listening " + (f"at {at_proxy}" if at_proxy else "there")),
        ("NameResolutionError", "the name " + (f"of {at_proxy}" if at_proxy else "of its host") + " is not known"),
        ("Network is unreachable", "the network is down"),
        ("Tunnel connection failed", f"{proxy or 'the proxy'} refuses to connect to it"),
    ):
        if sign in text:
            return plain
    return f"{at_proxy} cut the connection" if at_proxy else "the connection was cut"


def tls_problem(error: Exception, url: str) -> str:
    """Why https failed, and what to do.

    Args:
        error: requests' `SSLError`.
        url: of the server, or of the proxy.
    """
    verification = _cause(error, ssl.SSLCertVerificationError)
    if isinstance(verification, ssl.SSLCertVerificationError):
        return (
            f"The certificate of {url} is not trusted: {verification.verify_message} "
            "If it is your institution's own, let REQUESTS_CA_BUNDLE name the file with its authority's certificate."
        )
    cause = _cause(error, ssl.SSLError)
    reason = (cause.reason if isinstance(cause, ssl.SSLError) else None) or "no TLS"
    plain = "http" + url.removeprefix("https")
    return (
        f"{url} does not speak https at this port ({reason.replace('_', ' ').lower()}). If it speaks http, the URL is "
        f"{plain} . {WHERE_TO_SET}"
    )


def redirect_problem(url: str, path: str, location: str) -> str | None:
    """What it means that another address is given instead of an answer; None where it is a page to sign in at.

    Args:
        url: of the server, as it is set.
        path: of the request, below `url`.
        location: the other address; nothing but scheme, host and path of it is shown.
    """
    try:
        parts = urlsplit(location)
    except ValueError:
        return None
    if not parts.netloc or not parts.path.endswith(path) or parts.scheme not in ("http", "https"):
        return None
    host = parts.netloc.rpartition("@")[2]
    right = f"{parts.scheme}://{host}{parts.path.removesuffix(path)}"
    if right == url:
        return None
    return f"{url} says that the exchange is at {right} . {WHERE_TO_SET}"


def wants_https(url: str, status: int, content: bytes) -> str | None:
    """What it means that a port for https was asked by http; None where it is not that.

    Args:
        url: that was asked.
        status, content: of the answer.
    """
    if status != 400 or not url.startswith("http:") or not any(sign in content for sign in _WANT_HTTPS):
        return None
    return f"{url} speaks https at this port: the URL is https{url.removeprefix('http')} . {WHERE_TO_SET}"


def _cause(error: BaseException | None, kind: type[BaseException]) -> BaseException | None:
    """The exception of a kind that is wrapped in another one, which may hold it as an argument only."""
    seen: set[int] = set()
    waiting = [error]
    while waiting:
        each = waiting.pop()
        if each is None or id(each) in seen:
            continue
        seen.add(id(each))
        if isinstance(each, kind):
            return each
        waiting += [each.__cause__, each.__context__, getattr(each, "reason", None)]
        waiting += [argument for argument in each.args if isinstance(argument, BaseException)]
        waiting = [one for one in waiting if one is None or isinstance(one, BaseException)]
    return None
