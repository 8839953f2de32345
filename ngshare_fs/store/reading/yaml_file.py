"""YAML files that are read once, by commands that look at a whole volume: nothing is kept, nothing is logged."""

from collections.abc import Callable

from ngshare_fs.formats import yaml_text
from ngshare_fs.formats.yaml_text import BrokenYaml, Meaning, Node
from ngshare_fs.store.errors import BrokenManifest
from ngshare_fs.store.files.estale import retry_on_estale
from ngshare_fs.store.files.plain_file import open_plain


def read_once(file: str, understand: Callable[[dict[str, Node]], Meaning]) -> Meaning:
    """What a file says.

    Raises:
        FileNotFoundError: it is not there (NotADirectoryError where a folder above is none).
        BrokenManifest: it cannot be read or understood.
    """
    return understood(content_of(file), file, understand)


def content_of(file: str) -> bytes:
    """The text of a file; raises as `read_once` does."""
    try:
        return retry_on_estale(_read, file)
    except (FileNotFoundError, NotADirectoryError):
        raise
    except OSError as error:
        raise BrokenManifest(file, None, f"cannot be read: {error.strerror}") from None


def understood(content: bytes, file: str, understand: Callable[[dict[str, Node]], Meaning]) -> Meaning:
    """What a text says; raises as `read_once` does."""
    try:
        return yaml_text.parse(content, file, understand)
    except BrokenYaml as error:
        raise BrokenManifest(error.file, error.line, error.problem) from None


def _read(file: str) -> bytes:
    with open(open_plain(file), "rb") as opened:
        return opened.read()
