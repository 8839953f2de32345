"""Why a connection failed, in a few words for an operator."""

import asyncio
import os
import ssl

import aiohttp

# What a request raises where nobody answers, or not by HTTP.
# ValueError: a host's name that no resolver takes, such as `a..b`. TimeoutError is an OSError from Python 3.11 on only.
UNREACHABLE = (aiohttp.ClientError, asyncio.TimeoutError, OSError, ValueError)

# aiohttp's own words quote what was sent, which nobody should find in a log.
_WORDS: tuple[tuple[type[Exception], str], ...] = (
    (asyncio.TimeoutError, "no answer in time"),
    (ValueError, "that is no address"),
    (aiohttp.ServerDisconnectedError, "it hung up without an answer; is that the port, and http rather than https?"),
    (aiohttp.ClientResponseError, "its answer is no HTTP"),
    (aiohttp.ClientPayloadError, "its answer broke off, or cannot be read"),
)


def reason_of(error: Exception) -> str:
    """Say why a connection failed: in the system's words, where it has any.

    Args:
        error: one of `UNREACHABLE`.
    """
    cause = getattr(error, "certificate_error", None) or getattr(error, "os_error", error)
    # The numbers of OpenSSL's errors are not the system's: 1 would read "Operation not permitted".
    if isinstance(cause, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted: {cause.verify_message} (SSL_CERT_FILE names those that are)"
    if isinstance(cause, ssl.SSLError):
        return f"no TLS: {cause.reason}; is it http rather than https?"
    for kind, words in _WORDS:
        if isinstance(error, kind):
            return words
    if not isinstance(cause, OSError) or cause.errno is None:
        return type(error).__name__
    # asyncio has put its own words in the place of the system's; those of the resolver have numbers below zero.
    return os.strerror(cause.errno) if cause.errno > 0 else str(cause.strerror)
