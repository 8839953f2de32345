"""`last-verify.yaml`: what the last check of the whole volume found."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from ngshare_fs.formats import yaml_text
from ngshare_fs.formats.yaml_text import Node, WrongShape, mapping_in, text_in
from ngshare_fs.store.format import timestamp
from ngshare_fs.store.format.timestamp import Timestamp


@dataclass(frozen=True)
class VerifyOutcome:
    """What the file says.

    Args:
        time: when the check ended.
        findings: how many there were of each code; what was not found is left out.
    """

    time: Timestamp
    findings: Mapping[str, int]

    def to_yaml(self) -> bytes:
        """The text of the file."""
        return yaml_text.dump({"time": self.time, "findings": dict(self.findings)})


def understand(document: Mapping[str, Node]) -> VerifyOutcome:
    """What a parsed `last-verify.yaml` says.

    Raises:
        WrongShape: it gives no time, or something else than numbers.
    """
    moment = text_in(document, "time") or ""
    try:
        timestamp.seconds_of(moment)
    except ValueError:
        raise WrongShape(("time",), "`time` has to be a timestamp") from None
    counts = mapping_in(document, "findings")
    return VerifyOutcome(Timestamp(moment), {code: _number(counts, code) for code in counts})


def _number(counts: Mapping[str, Node], code: str) -> int:
    text = text_in(counts, code, "findings") or ""
    if not re.fullmatch("[0-9]{1,15}", text):
        raise WrongShape(("findings", code), f"`{code}` has to be a number")
    return int(text)
