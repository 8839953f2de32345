"""Notebooks as students write them: text, outputs, pictures. `nbformat` puts them together.

Random bytes would not do: one in 32 of their base64 characters has to be percent-encoded, of text next to none.
"""

import base64
import importlib
import random
import struct
import zlib
from typing import Any

# In each file there is this one place where copies differ, near its end.
MARK = "0" * 12
FILLING = "[filling]"
PART = 600  # what a cell takes in the file beside its outputs
LARGEST_PICTURE = 2**20
SMALLEST_PICTURE = 2**10
DIFFERENT = 10  # outputs of one notebook
SENTENCES = (
    "The derivative of a sum is the sum of the derivatives, whatever the number of terms.",
    "We draw one hundred samples, compute their mean, and compare it with the expected value.",
    "Explain in your own words why the loop ends, and what would happen if the list were empty.",
    "The residuals show no trend, so that a linear model describes the measurements well enough.",
    "Iteration 17: loss 0.0831, accuracy 0.9722, learning rate 0.001, elapsed 12.4 s",
    "count 250.000000  mean 4.318000  std 1.207741  min 1.000000  max 7.000000",
)


def notebook(size: int, seed: int, share_of_pictures: float) -> bytes:
    """A notebook of exactly this size; the same for the same arguments.

    Args:
        share_of_pictures: how much of it is pictures, from 0 to less than 1; the rest is text.
    """
    # Imported here: who only looks at the tables of an earlier run need not have it.
    nbformat: Any = importlib.import_module("nbformat")
    v4 = nbformat.v4

    source = random.Random(seed)
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    made = v4.new_notebook(metadata={"kernelspec": kernel})
    # The last cells: one that is filled up to the size that is wanted, and one that differs.
    made.cells = [v4.new_markdown_cell(FILLING, id="answer"), v4.new_markdown_cell("Signed.", id=MARK)]
    picture = int(min(max(size * share_of_pictures / 8, SMALLEST_PICTURE), LARGEST_PICTURE))
    text = int(picture * (1 - share_of_pictures) / share_of_pictures) if share_of_pictures else picture
    room = size - len(nbformat.writes(made).encode()) - len("\n")
    different: list[list[Any]] = []
    parts: list[Any] = []
    while room > 0:
        if len(different) < DIFFERENT:
            different.append([v4.new_output("stream", name="stdout", text=_lines(text, source))])
            if share_of_pictures:
                shown = base64.b64encode(_png(picture * 3 // 4, source)).decode() + "\n"
                data = {"image/png": shown, "text/plain": "<Figure size>"}
                different[-1].append(v4.new_output("display_data", data=data))
        number = len(parts)
        outputs = different[number % DIFFERENT]
        code = "model.fit(x, y)\nmodel.plot()"
        parts.append(v4.new_code_cell(code, id=f"code-{number}", execution_count=number, outputs=outputs))
        # In the file, each line of a text is in quotes and indented.
        room -= text * 6 // 5 + (picture if share_of_pictures else 0) + PART
    made.cells[:0] = parts[:-1]
    content: str = nbformat.writes(made) + "\n"
    missing = size - len(content) + len(FILLING)
    if missing < 0:
        return (MARK.encode() * (size // len(MARK) + 1))[:size]
    filling = " ".join(source.choices(SENTENCES, k=missing // 50 + 1))[:missing]
    return content.replace(FILLING, filling).encode()


def table(size: int, seed: int) -> bytes:
    """A table of numbers of exactly this size, as CSV."""
    source = random.Random(seed)
    lines = "".join(f"{source.random():.6f},{source.randrange(1000)}\n" for _ in range(size // 9 + 1)).encode()
    last = f"{MARK}\n".encode()
    return (lines[: max(size - len(last), 0)] + last)[:size]


def _lines(size: int, source: random.Random) -> str:
    return "\n".join(source.choices(SENTENCES, k=size // 85 + 1))[:size] + "\n"


def _png(size: int, source: random.Random) -> bytes:
    """A picture of grey noise that takes about so many bytes."""
    width = 256
    height = max(size // (width + 1), 1)
    rows = b"".join(b"\0" + source.randbytes(width) for _ in range(height))
    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", head) + _chunk(b"IDAT", zlib.compress(rows, 1)) + _chunk(b"IEND", b"")


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
