"""The receipt of a submission, as a file: `nbgrader submit` keeps one, and a page hands out the same."""

import json
from typing import Any, NamedTuple

NAME = "ngshare_receipt.json"


class Receipt(NamedTuple):
    """What the server has confirmed.

    Args:
        course, assignment, student, timestamp: which submission it is.
        server: its URL.
        confirmed_by_server: whether it has named the files; an older server does not.
        files: each with `path`, `size` and `checksum`.
        due: when it was due; None where nothing is, or an older server does not say.
        late_seconds: by how much it is late, 0 in time; None as before.
    """

    course: str
    assignment: str
    student: str
    timestamp: str
    server: str
    confirmed_by_server: bool
    files: list[dict[str, Any]]
    due: str | None = None
    late_seconds: int | None = None

    def to_json(self) -> str:
        """The text of the file."""
        return json.dumps(self._asdict(), indent=1, ensure_ascii=False)
