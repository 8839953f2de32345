"""The targets by name, and the inputs that are kept of each."""

import base64
import importlib
from pathlib import Path
from typing import Protocol, cast

CORPUS = Path(__file__).with_name("corpus")
NAMES = (
    "base64_text",
    "civil_time",
    "files_argument",
    "json_text",
    "percent_encoding",
    "request_body",
    "tree_in_answer",
    "yaml_text",
)


class Target(Protocol):
    """A module that tries one parser.

    Attributes:
        DICTIONARY: what texts of the format are made of.
    """

    DICTIONARY: tuple[bytes, ...]

    def check(self, data: bytes) -> None:
        """Raise unless the parser is right about an input."""


def load(name: str) -> Target:
    """The target of that name."""
    return cast(Target, importlib.import_module(f"tests.fuzz.{name}"))


def kept(name: str) -> list[bytes]:
    """The inputs that are kept: a line each, in base64."""
    file = CORPUS / f"{name}.txt"
    return [base64.b64decode(line) for line in file.read_text().splitlines()] if file.exists() else []


def how_to_repeat(name: str, data: bytes) -> str:
    """The command that tries one input."""
    return f"python -m tests.fuzz {name} --input '{base64.b64encode(data).decode()}'"
