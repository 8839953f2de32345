"""Which language somebody reads: of those that there are, the one that their browser asks for first."""

import re

# The first one is for whoever asks for none of them.
LANGUAGES = ("en", "de")
_WEIGHT = re.compile(r"\s*q\s*=\s*(0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?)\s*", re.ASCII)


def preferred(accepted: str) -> str:
    """The language to answer in.

    Args:
        accepted: the header `Accept-Language` (RFC 9110, 12.5.4).
    """
    best, found = 0.0, LANGUAGES[0]
    for part in accepted.split(","):
        tag, _, parameters = part.partition(";")
        language = tag.strip().lower().partition("-")[0]
        weight = _weight(parameters)
        if language in LANGUAGES and weight > best:
            best, found = weight, language
    return found


def _weight(parameters: str) -> float:
    if not parameters:
        return 1.0
    said = _WEIGHT.fullmatch(parameters)
    return float(said[1]) if said else 0.0
