"""Text on one line: a name in it must neither forge a line nor act on a terminal."""

import re

# What would break a line, turn its direction, or cannot be printed: names of files may have all of it.
_UNPRINTABLE = "[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"


def in_one_line(text: str) -> str:
    """The text with what would break or turn a line, or cannot be printed, escaped."""
    if text.isprintable():  # nearly always; then a command does without making the pattern
        return text
    return re.sub(_UNPRINTABLE, lambda found: found[0].encode("unicode_escape").decode(), text)
