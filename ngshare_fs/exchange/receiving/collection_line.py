"""A line of the answer that has a class's submissions: somebody's submission, or the last line."""

from typing import Any

from ngshare_fs.exchange.receiving.tree_in_answer import TreeInAnswer
from ngshare_fs.formats.json_stream import NotJson


class CollectionLine:
    """A line. What cannot be understood of it is passed over.

    Args:
        folder: for the contents of its files; it is emptied first.
    """

    def __init__(self, folder: str) -> None:
        self._arriving: TreeInAnswer | None = TreeInAnswer(folder)

    def feed(self, piece: bytes) -> None:
        """Take the next piece of it."""
        if self._arriving is not None:
            try:
                self._arriving.feed(piece)
            except NotJson:
                self._arriving = None

    def finish(self) -> dict[str, Any] | None:
        """What it says; None where it cannot be understood."""
        try:
            entry = None if self._arriving is None else self._arriving.finish()
        except NotJson:
            return None
        if isinstance(entry, dict) and ("submissions" in entry or isinstance(entry.get("student_id"), str)):
            return entry
        return None
