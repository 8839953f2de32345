"""Text as programs write it to a terminal, made into text that can be read."""

import re

# Colours and cursors, titles of windows, and other commands. Nothing here scans a part twice: each begins with an
# escape, and stops before the next one.
_COMMANDS = re.compile("\x1b(?:\\[[0-?]*[ -/]*[@-~]|[\\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\\\)?|[ -/]*[0-~])")
# What cannot be seen, or lets text be seen in another order than programs read it in, is written out.
_HIDDEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u061c\u200e\u200f\u2028-\u202e\u2066-\u206f\ufff9-\ufffb\ud800-\udfff]"
)


def readable(text: str) -> str:
    """The text without commands for a terminal; what they have written over is left out, as on a terminal."""
    text = _COMMANDS.sub("", text.replace("\r\n", "\n"))
    if "\r" in text:  # a bar of progress, say
        text = "\n".join(line.rstrip("\r").rpartition("\r")[2] for line in text.split("\n"))
    return visible(text)


def visible(text: str) -> str:
    """The text with hidden characters written out."""
    return _HIDDEN.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
