"""Addresses of pages: names as parts of them, whatever they are, and who asks where a parameter says so."""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote, urlencode

# Browsers take `.` and `..` for steps, also where they are percent-encoded. A name that is one of them has this mark
# before it, and so has each that begins with the mark itself.
_MARK = "~"


def segment_of(name: str) -> str:
    """A name as a part of a path."""
    marked = name in (".", "..") or name.startswith(_MARK)
    return quote((_MARK if marked else "") + name, safe="")


def name_in(segment: str) -> str:
    """The name that a part of a path means, percent-decoded; never empty."""
    return segment.removeprefix(_MARK) or segment


def number_in(text: str | None) -> int | None:
    """The number that a parameter gives; None where it is none, or one of more digits than anything here has."""
    return int(text) if text is not None and text.isascii() and text.isdigit() and len(text) < 10 else None


@dataclass(frozen=True)
class Addresses:
    """Makes the addresses that a page shows.

    Args:
        prefix: where the service is.
        as_user: whoever a parameter has to name on each page, stand-alone; None on a hub.
    """

    prefix: str
    as_user: str | None = None

    def __call__(self, path: str, names: Mapping[str, str] | None = None, **query: object) -> str:
        """An address in this service.

        Args:
            path: below the prefix, with `{course}` and so on where names belong.
            names: those names.
            query: parameters; what is None is left out.
        """
        segments = {key: segment_of(name) for key, name in (names or {}).items()}
        asked = {**({} if self.as_user is None else {"user": self.as_user}), **query}
        sent = urlencode({key: str(value) for key, value in asked.items() if value is not None})
        return self.prefix + path.format(**segments) + (f"?{sent}" if sent else "")
