"""What can be shown of a notebook: text and pictures. Of its HTML, scripts, widgets and links nothing is taken.

Memory and time are bounded by what is looked at before anything is parsed; afterwards by how much is shown.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import pybase64

from ngshare_fs.web.untrusted.terminal_text import readable, visible
from ngshare_fs.web.untrusted.views import JPEG_START, PNG_START

# A notebook with pictures takes a few. Text with one letter beyond the first 65,536 takes four times this in memory.
LARGEST = 8 * 2**20
# Commas and opening brackets: each makes a value in memory, which may be thirty times as large as what it is made of.
MOST_MARKS = 300_000
MOST_CELLS = 1000
MOST_OUTPUTS = 200
# Of one cell or one output, and of all together; in characters.
LONGEST_TEXT = 100_000
LONGEST_IN_ALL = 2_000_000
# In base64.
LARGEST_PICTURE = 5 * 2**20

_NUMBER = re.compile("[0-9]{1,9}")
_WHITE = re.compile("[ \t\r\n]+")


class NotShown(Exception):
    """A notebook cannot be shown. The text is the key of a sentence that says why, see `words`."""


@dataclass(frozen=True)
class Output:
    """One output of a cell.

    Args:
        kind: `text`, `error`, `picture`, or `other`: something that is not shown.
        text: what to show; of a picture, what to say instead of it; of something else, what it is.
        picture: a `data:` URI of a PNG or JPEG.
        is_cut: whether there is more of the text.
    """

    kind: str
    text: str = ""
    picture: str = ""
    is_cut: bool = False


@dataclass(frozen=True)
class Cell:
    """One cell.

    Args:
        kind: `code`, `markdown` or `raw`.
        text: its source.
        is_cut: whether there is more of it.
        number: in which order it was executed, if it was.
        outputs: of code.
        more_outputs: how many there are beside them.
    """

    kind: str
    text: str
    is_cut: bool = False
    number: str = ""
    outputs: list[Output] = field(default_factory=list)
    more_outputs: int = 0


@dataclass(frozen=True)
class Notebook:
    """What is shown of a notebook.

    Args:
        cells: in their order.
        more_cells: how many there are beside them.
    """

    cells: list[Cell]
    more_cells: int


def read(content: bytes) -> Notebook:
    """Take from a notebook what is shown.

    Raises:
        NotShown: it is too large, or no notebook of a format that we know.
    """
    if len(content) > LARGEST or sum(map(content.count, (b",", b"[", b"{"))) > MOST_MARKS:
        raise NotShown("preview.notebook-too-large")
    try:
        # Numbers stay text: nobody calculates with them, and to read one of a million digits takes long.
        document = json.loads(content, parse_int=str, parse_float=str, parse_constant=str)
    except (ValueError, RecursionError):
        raise NotShown("preview.notebook-broken") from None
    if not isinstance(document, dict) or document.get("nbformat") not in ("3", "4"):
        raise NotShown("preview.notebook-broken")
    cells = _cells_of_3(document) if document["nbformat"] == "3" else document.get("cells")
    if not isinstance(cells, list):
        raise NotShown("preview.notebook-broken")
    room = _Room()
    return Notebook([_cell(cell, room) for cell in cells[:MOST_CELLS]], max(0, len(cells) - MOST_CELLS))


class _Room:
    """What may still be shown."""

    def __init__(self) -> None:
        self._left = LONGEST_IN_ALL

    def cut(self, text: str) -> tuple[str, bool]:
        """The text, or its beginning; and whether there is more."""
        # Before anything else is done with it.
        longest = min(LONGEST_TEXT, self._left)
        self._left -= min(len(text), longest)
        return text[:longest], len(text) > longest


def _cells_of_3(document: Mapping[str, object]) -> list[object] | None:
    """The cells of format 3, which are on sheets."""
    sheets = document.get("worksheets")
    if not isinstance(sheets, list):
        return None
    found: list[object] = []
    for sheet in sheets:
        if not isinstance(sheet, dict) or not isinstance(sheet.get("cells"), list):
            return None
        found += sheet["cells"]
    return found


def _cell(cell: object, room: _Room) -> Cell:
    if not isinstance(cell, dict):
        raise NotShown("preview.notebook-broken")
    kind = cell.get("cell_type")
    source = cell.get("source", cell.get("input", ""))  # `input`: code in format 3
    text, is_cut = room.cut(_joined(source))
    if kind != "code":
        return Cell("raw" if kind == "raw" else "markdown", visible(text.replace("\r\n", "\n")), is_cut)
    outputs = cell.get("outputs", [])
    if not isinstance(outputs, list):
        raise NotShown("preview.notebook-broken")
    number = cell.get("execution_count", cell.get("prompt_number"))
    return Cell(
        "code",
        visible(text.replace("\r\n", "\n")),
        is_cut,
        number if isinstance(number, str) and _NUMBER.fullmatch(number) else "",
        [_output(output, room) for output in outputs[:MOST_OUTPUTS]],
        max(0, len(outputs) - MOST_OUTPUTS),
    )


def _output(output: object, room: _Room) -> Output:
    if not isinstance(output, dict):
        raise NotShown("preview.notebook-broken")
    kind = output.get("output_type")
    if kind in ("error", "pyerr"):
        traceback = output.get("traceback")
        lines = [line for line in traceback if isinstance(line, str)] if isinstance(traceback, list) else []
        text = "\n".join(lines) or f"{_joined(output.get('ename'))}: {_joined(output.get('evalue'))}"
        return _shown("error", text, room)
    if kind == "stream":
        return _shown("text", _joined(output.get("text")), room)
    data = output.get("data", output)  # in format 3, beside the rest
    if not isinstance(data, dict):
        raise NotShown("preview.notebook-broken")
    return _richest(data, room)


def _richest(data: Mapping[object, object], room: _Room) -> Output:
    """The one form of an output that is shown: a picture, or else text."""
    plain = _joined(data.get("text/plain", data.get("text", "")))
    for picture in _pictures(data):
        return Output("picture", readable(plain[:200]), picture)
    if plain:
        return _shown("text", plain, room)
    kinds = sorted(str(kind) for kind in data if isinstance(kind, str) and "/" in kind)
    return Output("other", visible(", ".join(kinds)[:200]))


def _pictures(data: Mapping[object, object]) -> Iterator[str]:
    for kind, old, start in (("image/png", "png", PNG_START), ("image/jpeg", "jpeg", JPEG_START)):
        encoded = _joined(data.get(kind, data.get(old, "")))
        if not encoded or len(encoded) > LARGEST_PICTURE:
            continue
        try:
            content = pybase64.b64decode(_WHITE.sub("", encoded), validate=True)
        except ValueError:
            continue
        if content.startswith(start):
            # Encoded anew: whatever was between the characters of the old text is not in the new one.
            yield f"data:{kind};base64,{pybase64.b64encode(content).decode()}"


def _shown(kind: str, text: str, room: _Room) -> Output:
    cut, is_cut = room.cut(text)
    return Output(kind, readable(cut), is_cut=is_cut)


def _joined(text: object) -> str:
    """A text as notebooks have it: whole, or as a list of its lines."""
    if isinstance(text, str):
        return text
    if isinstance(text, list):
        return "".join(part for part in text if isinstance(part, str))
    return ""
