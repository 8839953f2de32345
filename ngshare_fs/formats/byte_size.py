"""Sizes as people write them: `256MiB`, `64M`, `1048576`."""

import re

# K, M and G are powers of 1024, as to `dd`, `truncate` and nginx; Ki, Mi and Gi are what Kubernetes writes.
UNITS = {"": 1, "B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12} | {
    letter + ending: 1024**power for power, letter in enumerate("KMGT", 1) for ending in ("", "I", "IB")
}

SHOWN_UNITS = ("B", "KiB", "MiB", "GiB", "TiB", "PiB")


def bytes_in(text: str) -> int:
    """The bytes that a size has: a number, or one with a unit.

    Raises:
        ValueError: it is none; the text says so.
    """
    found = re.fullmatch(r"([0-9]{1,15}(?:\.[0-9]{1,6})?) *([A-Za-z]*)", text, re.ASCII)
    if not found or found[2].upper() not in UNITS:
        raise ValueError(f"{text!r} is not a size such as 256MiB, 64M or 1048576")
    unit = UNITS[found[2].upper()]
    return int(float(found[1]) * unit) if "." in found[1] else int(found[1]) * unit


def size_in_words(size: int) -> str:
    """`0 B`, `17 KiB`, `1.2 GiB`: a size in bytes as people read it."""
    amount = float(size)
    for unit in SHOWN_UNITS:
        if amount < 1024 or unit == SHOWN_UNITS[-1]:
            break
        amount /= 1024
    return f"{amount:.1f} {unit}" if amount < 10 and unit != "B" else f"{amount:.0f} {unit}"
