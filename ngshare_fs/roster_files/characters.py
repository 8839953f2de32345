"""Which characters user names and people's names may have, and which user names look like one another."""

import re
import unicodedata

from ngshare_fs.formats.sentence import sentence

# Printable as far as Unicode knows, but nothing is to be seen of them: fillers, variation selectors and the like.
_INVISIBLE = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)
# Embeddings, overrides and isolates make the rest of a line run the other way.
_TURNS_THE_LINE = re.compile("[\u202a-\u202e\u2066-\u2069]")
# Controls, line and paragraph separators, halves of surrogate pairs. Not what this Python's Unicode does not know yet.
_BREAKS_A_NAME = ("Cc", "Zl", "Zp", "Cs")


def wrong_in_user_name(user: str) -> str | None:
    """The first character that a user name may not have: anything that nobody sees, or sees as a plain space.

    Returns:
        its code point and name, for people; None where there is none.
    """
    return next((described(one) for one in user if not one.isprintable() or _INVISIBLE.match(one)), None)


def wrong_in_name(name: str) -> str | None:
    """The same for a first or last name or an email: any space or joiner may be in it, but no line break or control."""
    wrong = (one for one in name if unicodedata.category(one) in _BREAKS_A_NAME or _TURNS_THE_LINE.match(one))
    return next((described(one) for one in wrong), None)


def described(character: str) -> str:
    """A character that cannot be shown, for people."""
    code = f"U+{ord(character):04X}"
    name = unicodedata.name(character, _CONTROL_NAMES.get(character, ""))
    return f"{code} ({name})" if name else code


# Unicode has no names for controls.
_CONTROL_NAMES = {
    "\x00": "NUL",
    "\t": "TAB",
    "\n": "LINE BREAK",
    "\r": "CARRIAGE RETURN",
    "\x0b": "VERTICAL TAB",
    "\x1b": "ESCAPE",
    "\x7f": "DELETE",
    "\x85": "NEXT LINE",
}


def spelling(user: str) -> str:
    """What user names have in common that differ in capitals, or in how their accents are stored, only.

    JupyterHub makes user names lower-case, and an `é` may be one character (NFC) or two (NFD).
    """
    return composed(composed(user).lower())


def composed(user: str) -> str:
    """What user names have in common that look the same, but have their accents stored in another way."""
    return unicodedata.normalize("NFC", user)


def how_they_differ(one: str, other: str) -> str:
    """Why two user names of one spelling are not the same, for people."""
    if composed(one) == composed(other):
        return sentence("accents are stored in another way (Unicode NFC and NFD)")
    return sentence("only capitals differ")
