"""Mail addresses of some of a class, as a mail program takes them."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import quote

from ngshare_fs.web.instructor.class_work.matrix import Member

# Whatever separates addresses, quotes or comments is none of one: nobody gets another one's mail by a clever entry.
_ADDRESS = re.compile(r"[^\s@,;:<>()\[\]\"\\\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069]+")
_LONGEST = 254
# Some mail programs take no longer address of a link.
_LONGEST_LINK = 1800


@dataclass(frozen=True)
class MailAddresses:
    """The mail addresses of some of a class.

    Args:
        text: all of them, separated by commas.
        count: how many there are.
        without: how many of the class have none that can be used.
        link: opens a mail to all of them, none of whom sees the others; "" where there are none, or too many.
    """

    text: str
    count: int
    without: int
    link: str


def addresses_of(members: Iterable[Member]) -> MailAddresses:
    """Those that stand on the roster, each once."""
    found: dict[str, None] = {}
    without = 0
    for member in members:
        email = (member.person.email or "").strip()
        if is_address(email):
            found[email] = None
        else:
            without += 1
    link = "mailto:?bcc=" + ",".join(quote(each, safe="@") for each in found)
    return MailAddresses(", ".join(found), len(found), without, link if found and len(link) <= _LONGEST_LINK else "")


def is_address(text: str) -> bool:
    """Whether a text is one mail address, as far as a mail program could take it for something else."""
    name, at, host = text.rpartition("@")
    return len(text) <= _LONGEST and bool(at and _ADDRESS.fullmatch(name) and _ADDRESS.fullmatch(host))
