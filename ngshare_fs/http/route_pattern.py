"""Paths with names in them, as aiohttp's router takes them."""

import re


def route_pattern(path: str) -> str:
    """The pattern of a path with names: aiohttp's own for a name has no braces in it, and ours may have any."""
    return re.sub(r"\{(\w+)\}", r"{\1:[^/]+}", path)
