"""What a broken manifest still says, line by line: each is believed only where it can be read by itself."""

from dataclasses import dataclass

from ngshare_fs.formats import yaml_text
from ngshare_fs.formats.yaml_text import BrokenYaml, Node
from ngshare_fs.store.format.manifest import StoredFile

KEYS = ("kind", "course", "assignment", "student", "submission", "by", "key", "timestamp")
_LINES_OF_A_FILE = 3
_LONGEST_LINE = 100_000


@dataclass(frozen=True)
class Salvaged:
    """What could be read.

    Args:
        said: the keys at the top.
        files: those of the entries that are whole.
    """

    said: dict[str, str]
    files: tuple[StoredFile, ...]


def salvage(content: bytes) -> Salvaged:
    """Read what can be read of a manifest in the form in which it is written: a key a line, three lines a file."""
    lines = [line for line in content.split(b"\n") if len(line) < _LONGEST_LINE]
    said: dict[str, str] = {}
    files = []
    for number, line in enumerate(lines):
        if line.startswith(b"- path:"):
            file = _stored_file(lines[number : number + _LINES_OF_A_FILE])
            if file is not None:
                files.append(file)
        elif line.split(b":")[0].decode("ascii", "replace") in KEYS and number < len(lines) - 1:
            # Of the last line nobody knows whether it is whole.
            said.update({key: value for key, value in _parsed(line).items() if isinstance(value, str)})
    return Salvaged(said, tuple(files))


def _stored_file(lines: list[bytes]) -> StoredFile | None:
    text = b"\n".join([b"  " + lines[0][2:], *lines[1:]])
    entry = _parsed(text.replace(b"\n  ", b"\n").removeprefix(b"  "))
    path, size, md5 = entry.get("path"), entry.get("size"), entry.get("md5")
    if isinstance(path, str) and isinstance(size, str) and size.isdecimal() and isinstance(md5, str) and len(md5) == 32:
        return StoredFile(path, int(size), md5)
    return None


def _parsed(text: bytes) -> dict[str, Node]:
    try:
        return yaml_text.parse(text, "", lambda document: document)
    except BrokenYaml:
        return {}
