"""A parser with a mistake, which the search has to find."""

from tests.fuzz.cutting import text_and_cuts
from tests.fuzz.json_text import DICTIONARY, NoJson, value_of

__all__ = ["DICTIONARY", "check"]


def check(data: bytes) -> None:
    """Raise where the mistake shows: at a list with anything in it."""
    text, _ = text_and_cuts(data)
    try:
        value = value_of(text)
    except NoJson:
        return
    assert not isinstance(value, list) or not value
