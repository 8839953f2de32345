"""When two names of files are one: a Mac writes `Ü` as `U` and a diaeresis, which looks alike and is another name."""

import unicodedata


def normal(path: str) -> str:
    """The form in which names and paths are compared; what is stored and sent keeps the form it has."""
    return unicodedata.normalize("NFC", path)
