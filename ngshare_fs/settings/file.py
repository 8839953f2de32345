"""The configuration file: YAML of options, each with the line where it stands."""

import re
from pathlib import Path

from ngshare_fs.formats.yaml_text import BrokenYaml, Node, parse_with_lines
from ngshare_fs.settings.options import BY_NAME, near_match
from ngshare_fs.settings.settings import SettingsError
from ngshare_fs.settings.values import IN_QUOTES, Raw

# Where YAML takes `{course}` for a mapping: as a value, or in a list.
_UNQUOTED = re.compile(rb"[:\[,-]\s*\{course\}")
_COURSE = {"course": None}


def read_file(path: str) -> bytes:
    """What the file holds; raises SettingsError where it cannot be read."""
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise SettingsError(f"{path}: {error.strerror}") from None


def options_in(content: bytes, path: str) -> dict[str, tuple[str, Raw]]:
    """What the file sets.

    Scalars are taken as they are written, not as YAML types them: `no`, `007` and `1e3` are user names, and
    each option knows best what its value means.

    Args:
        content: of the file.
        path: its path, for errors.

    Returns:
        for each option its place (`file:line: option`) and its raw value.

    Raises:
        SettingsError: it is no YAML of options.
    """
    try:
        document, lines = parse_with_lines(content, path)
    except BrokenYaml as error:
        # The parser may notice it at the end of the line, and so name the next one.
        near = content.splitlines()[max(error.line - 2, 0) : error.line]
        hint = f"; {IN_QUOTES}" if any(map(_UNQUOTED.search, near)) else ""
        raise SettingsError(f"{path}:{error.line}: {error.problem}{hint}") from None
    found: dict[str, tuple[str, Raw]] = {}
    for key, value in document.items():
        line = f"{path}:{lines[key]}"
        if key not in BY_NAME:
            raise SettingsError(f"{line}: {key!r} is no option{near_match(key, list(BY_NAME))}")
        place = f"{line}: {key}"
        found[key] = (place, _raw(value, place))
    return found


def _raw(value: Node, place: str) -> Raw:
    if isinstance(value, list):
        nested = "takes a value or a list of values, nothing nested"
        return [_text(item, place, IN_QUOTES if item == _COURSE else nested) for item in value]
    if isinstance(value, dict):
        return {name: _mapping(below, place) for name, below in value.items()}
    return value or ""


def _mapping(value: Node, place: str) -> dict[str, str]:
    if not value:
        return {}
    if not isinstance(value, dict):
        raise SettingsError(f"{place}: not a mapping such as {{autograder: {{admin: true}}}}")
    return {name: _text(below, place, "nested too deeply") for name, below in value.items()}


def _text(value: Node, place: str, otherwise: str) -> str:
    """A single value; where it is none, the error says `otherwise`."""
    if isinstance(value, (list, dict)):
        raise SettingsError(f"{place}: {otherwise}")
    return value or ""
