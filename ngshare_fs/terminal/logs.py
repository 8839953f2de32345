"""Log lines on stderr: readable ones for people, JSON for collectors.

A record may carry `extra={"fields": {...}}`: the JSON line has them as keys; the text line shows the message
only, so whatever a person needs must be in the message too.
"""

import json
import logging
import sys
import warnings
from collections.abc import Mapping
from datetime import datetime, timezone
from types import TracebackType

from ngshare_fs.formats.one_line import in_one_line

LOG = logging.getLogger("ngshare_fs")


class TextLines(logging.Formatter):
    """`2020-01-30 10:30:47.524 INFO message`, local time; a traceback follows on lines of its own."""

    def format(self, record: logging.LogRecord) -> str:
        time = datetime.fromtimestamp(record.created).isoformat(" ", "milliseconds")
        line = f"{time} {record.levelname:<7} {in_one_line(record.getMessage())}"
        if record.exc_info:
            line += "\n" + self.formatException(record.exc_info)
        return line


class JsonLines(logging.Formatter):
    """One object a line: `time` (UTC), `level`, `logger`, `process`, `message`, then the record's fields."""

    def format(self, record: logging.LogRecord) -> str:
        time = datetime.fromtimestamp(record.created, timezone.utc).isoformat(timespec="milliseconds")
        content: dict[str, object] = {
            "time": time.replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "process": record.process,
            "message": record.getMessage(),
        }
        fields = getattr(record, "fields", None)
        if isinstance(fields, Mapping):
            content |= fields
        if record.exc_info:
            content["exception"] = self.formatException(record.exc_info)
        # ASCII only: whatever a name contains, no collector can take a piece of it for a line end.
        return json.dumps(content, default=str)


def set_up(log_format: str, debug: bool = False) -> None:
    """Send all that is logged, warned of and uncaught to stderr, in one format.

    Args:
        log_format: `text` or `json`.
        debug: also log what helps to find errors in the server itself.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines() if log_format == "json" else TextLines())
    logging.basicConfig(handlers=[handler], level=logging.INFO, force=True)
    LOG.setLevel(logging.DEBUG if debug else logging.INFO)
    logging.captureWarnings(True)
    # "%s" of a warning spans two lines (with the source line): say it in one.
    warnings.formatwarning = lambda message, category, *_: f"{category.__name__}: {message}"
    sys.excepthook = _log_uncaught


def _log_uncaught(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, trace)
    else:
        LOG.critical("uncaught %s", kind.__name__, exc_info=(kind, error, trace))
