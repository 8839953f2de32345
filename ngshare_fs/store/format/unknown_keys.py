"""Keys in a file that people edit, of which nobody knows what they mean.

They are kept and mean nothing: a later version may have written them. One that looks like a key that means something is
told, for it was probably meant for that.
"""

from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from types import MappingProxyType
from typing import NamedTuple

from ngshare_fs.formats.yaml_text import Node

# `studnets` and `students` are 0.87 alike, as are `mail` and `email`; `course_id` and `course` are not.
LEAST_LIKENESS = 0.85
_NO_WORDS: Mapping[str, str] = MappingProxyType({})


class Misspelt(NamedTuple):
    """A key that was probably meant for another one.

    Args:
        key: as it stands there.
        meant: the key that it looks like.
        above: the keys that lead to it.
    """

    key: str
    meant: str
    above: tuple[str, ...] = ()

    def __str__(self) -> str:
        where = "".join(f" below {key!r}" for key in reversed(self.above))
        return f"{self.key!r}{where} is no key of this file: did you mean `{self.meant}`?"


def unknown_keys(document: Mapping[str, Node], known: tuple[str, ...]) -> dict[str, Node]:
    """What stands in a mapping below other keys than the known ones: to be kept, and written behind them."""
    return {key: value for key, value in document.items() if key not in known}


def misspelt(
    keys: Iterable[str],
    known: tuple[str, ...],
    above: tuple[str, ...] = (),
    other_words: Mapping[str, str] = _NO_WORDS,
) -> Iterator[Misspelt]:
    """Those of the keys that look like one of the known ones and are none.

    Args:
        above: the keys that lead to them.
        other_words: what others call a known one, and that.
    """
    for key in keys:
        if key not in known:
            meant = _meant(_simplified(key[:100]), known, other_words)  # a name may be long, and comparing takes time
            if meant is not None:
                yield Misspelt(key, meant, above)


def _meant(key: str, known: tuple[str, ...], other_words: Mapping[str, str]) -> str | None:
    if key in other_words:
        return other_words[key]
    # Of a short word, one letter in another place is much: `deu` is as like `due` as `dye` is.
    turned = [each for each in known if sorted(each) == sorted(key)]
    near = turned or get_close_matches(key, known, n=1, cutoff=LEAST_LIKENESS)
    return near[0] if near else None


def _simplified(key: str) -> str:
    return key.strip().lower().replace("-", "_").replace(" ", "_")
