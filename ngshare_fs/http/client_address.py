"""Where a request came from: the peer, or what a proxy says that is trusted with it.

`X-Forwarded-For` alone is read. A proxy appends the address that it sees; what stands before that, anybody may have
written. `Forwarded` (RFC 7239) is not: proxies that know nothing of it pass on what a client wrote into it.
"""

import re
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

from aiohttp import web

Address = IPv4Address | IPv6Address
Networks = Sequence[IPv4Network | IPv6Network]

FORWARDED_FOR = "X-Forwarded-For"
# A socket of the file system has no addresses.
UNIX_SOCKET = "unix"
UNKNOWN = "-"
_WITH_PORT = re.compile(r"\[([^\]]*)\](?::[0-9]{1,5})?|([0-9.]+):[0-9]{1,5}")


def client_address(request: web.BaseRequest, trusted: Networks = ()) -> str:
    """The address of the client, in its usual form; a word where there is none.

    Args:
        trusted: the proxies that are believed.
    """
    remote = request.remote
    peer = None if remote is None else _understood(remote)
    if peer is None:
        return UNIX_SOCKET if remote == "" else UNKNOWN
    if not _is_in(peer, trusted):
        return str(peer)
    hops = [hop for line in request.headers.getall(FORWARDED_FOR, ()) for hop in line.split(",")]
    # From the nearest to the farthest: who is not trusted is the client, whatever it claims of those behind it.
    while hops and _is_in(peer, trusted):
        said = _understood(hops.pop())
        if said is None:
            break
        peer = said
    return str(peer)


def _understood(text: str) -> Address | None:
    text = text.strip()
    found = _WITH_PORT.fullmatch(text)
    try:
        # A scope (`fe80::1%eth0`) is a matter of the machine that wrote it, and may hold anything.
        address = ip_address((found[1] or found[2] if found else text).partition("%")[0])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


def _is_in(address: Address, networks: Networks) -> bool:
    return any(address in network for network in networks)
