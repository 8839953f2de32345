"""YAML of mappings, lists and text, and nothing else.

Whatever YAML thinks of a scalar (`no`, `007`, `1e3`, `null`, `2020-01-01`), here it is the text that stands
there; a value left empty (`email:`) is None. A key given twice is an error, for one of the two would be lost.
"""

import itertools
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, TypeAlias, TypeVar

import yaml

# What is nested more deeply would end other programs, and nothing that we write is.
DEEPEST = 100
# From here on, keys are those of many entries: one text for all of them.
_OF_MANY_ENTRIES = 3

Node: TypeAlias = "str | list[Node] | dict[str, Node] | None"


_MAPPING_EXPECTED = "a mapping (`name: value`) is expected here"


class BrokenYaml(Exception):
    """A text that cannot be read, or does not say what it has to say.

    Args:
        file: the file's path.
        line: the line of the problem, counted from 1.
        problem: what is wrong there.
    """

    def __init__(self, file: str, line: int, problem: str) -> None:
        super().__init__(f"{file}, line {line}: {problem}")
        self.file = file
        self.line = line
        self.problem = problem


class WrongShape(Exception):
    """YAML that can be read, but does not say what this file has to say.

    Args:
        keys: where, as the keys that lead there.
        problem: what is wrong there.
    """

    def __init__(self, keys: tuple[str, ...], problem: str) -> None:
        super().__init__(problem)
        self.keys = keys
        self.problem = problem


class _TextLoader(yaml.CSafeLoader):
    """The C parser, deaf to the types that plain scalars seem to have."""


_TextLoader.yaml_implicit_resolvers = {}


class _Dumper(yaml.CSafeDumper):
    """The C emitter; it quotes text that another program would take for a number, a date or a truth value."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


# A value that was left empty stays empty: `null` would be read as that word.
_Dumper.add_representer(type(None), lambda dumper, _: dumper.represent_scalar("tag:yaml.org,2002:null", ""))

Meaning = TypeVar("Meaning")


def parse(content: bytes, file: str, understand: Callable[[dict[str, Node]], Meaning]) -> Meaning:
    """Parse a file's content and turn it into a typed value.

    Args:
        content: UTF-8.
        file: its path, for the error.
        understand: makes the typed value of the mapping, or raises `WrongShape`.

    Raises:
        BrokenYaml: it is no YAML mapping, names a key twice, uses aliases, or has the wrong shape.
    """
    text = _decoded(content, file)
    document = _Reading(file).document(text)
    if document is None:
        raise BrokenYaml(file, 1, _MAPPING_EXPECTED)
    try:
        return understand(document)
    except WrongShape as error:
        again = _Reading(file, error.keys)
        again.document(text)
        raise BrokenYaml(file, again.line, error.problem) from None


def parse_with_lines(content: bytes, file: str) -> tuple[dict[str, Node], dict[str, int]]:
    """Parse a file whose every key is looked at by itself, and which may be empty.

    Args:
        content, file: see `parse`.

    Returns:
        the mapping, and the line of each of its own keys, counted from 1.

    Raises:
        BrokenYaml: see `parse`.
    """
    reading = _Reading(file)
    document = reading.document(_decoded(content, file))
    return document or {}, reading.lines


def _decoded(content: bytes, file: str) -> str:
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise BrokenYaml(file, line, "not UTF-8; save the file in that encoding") from None


class _Collection:
    """A mapping or a list that has begun.

    Args:
        content: what it has so far.
        name: the key above it; None in a list.
    """

    __slots__ = ("content", "key", "name")

    def __init__(self, content: "dict[str, Node] | list[Node]", name: str | None) -> None:
        self.content = content
        self.name = name
        # What the value that comes next is to be called.
        self.key: str | None = None


class _Reading:
    """One pass over a text, event by event.

    PyYAML's tree of nodes, each with two marks, would take forty times the text: a large roster would end the process.

    Args:
        file: its path, for the error.
        wanted: keys that lead to a place whose line is asked for.
    """

    def __init__(self, file: str, wanted: tuple[str, ...] = ()) -> None:
        self._file = file
        self._wanted = wanted
        # Of the last of the wanted keys that is there.
        self.line = 1
        # Of the document's own keys.
        self.lines: dict[str, int] = {}
        self._open: list[_Collection] = []
        self._root: dict[str, Node] | None = None
        self._has_begun = False

    def document(self, text: str) -> dict[str, Node] | None:
        """The mapping that the text is; None where nothing stands there but comments.

        Raises:
            BrokenYaml: see `parse`.
        """
        try:
            # Events, never objects: no tag in the file makes anything.
            for event in yaml.parse(text, Loader=_TextLoader):
                self._take(event)
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            problem = f"not YAML: {error.problem or error}"
            raise BrokenYaml(self._file, mark.line + 1 if mark else 1, problem) from None
        except yaml.reader.ReaderError as error:
            line = text.encode().count(b"\n", 0, error.position) + 1
            problem = f"not YAML: {error.reason} (#x{error.character:04x})"
            raise BrokenYaml(self._file, line, problem) from None
        except yaml.YAMLError as error:
            raise BrokenYaml(self._file, 1, f"not YAML: {' '.join(str(error).split())}") from None
        return self._root

    def _take(self, event: yaml.Event) -> None:
        if isinstance(event, yaml.ScalarEvent):
            value = None if event.value == "" and not event.style else event.value
            self._put(value, event)
        elif isinstance(event, yaml.MappingStartEvent):
            self._begin({}, event)
        elif isinstance(event, yaml.SequenceStartEvent):
            self._begin([], event)
        elif isinstance(event, yaml.CollectionEndEvent):
            self._open.pop()
        elif isinstance(event, yaml.AliasEvent):
            # Nested, a small file would grow without bound.
            raise self._broken(event, "aliases (`*name`) are not understood; write the value out")
        elif isinstance(event, yaml.DocumentStartEvent):
            if self._has_begun:
                raise self._broken(event, "a second document begins here; only one is expected")
            self._has_begun = True

    def _begin(self, content: "dict[str, Node] | list[Node]", event: yaml.Event) -> None:
        if len(self._open) == DEEPEST:
            raise self._broken(event, "nested too deeply")
        name = self._open[-1].key if self._open else None
        self._put(content, event)
        self._open.append(_Collection(content, name))

    def _put(self, value: Node, event: yaml.Event) -> None:
        if not self._open:
            if value is None:
                return
            if not isinstance(value, dict):
                raise self._broken(event, _MAPPING_EXPECTED)
            self._root = value
            self.line = _line_of(event)
            return
        inner = self._open[-1]
        if isinstance(inner.content, list):
            inner.content.append(value)
        elif inner.key is not None:
            inner.content[inner.key] = value
            inner.key = None
        else:
            self._put_key(value, inner, inner.content, event)

    def _put_key(self, key: Node, inner: _Collection, content: dict[str, Node], event: yaml.Event) -> None:
        if not isinstance(key, str):
            raise self._broken(event, "a name is expected before the colon")
        if key in content:
            raise self._broken(event, f"{key!r} is given twice; remove one of the two")
        depth = len(self._open)
        if depth >= _OF_MANY_ENTRIES:
            key = sys.intern(key)
        inner.key = key
        if depth == 1:
            self.lines[key] = _line_of(event)
        if self._wanted and (*(each.name for each in self._open[1:]), key) == self._wanted[:depth]:
            self.line = _line_of(event)

    def _broken(self, event: yaml.Event, problem: str) -> BrokenYaml:
        return BrokenYaml(self._file, _line_of(event), problem)


def _line_of(event: yaml.Event) -> int:
    return event.start_mark.line + 1 if event.start_mark else 1


def dump(document: Mapping[str, Any]) -> bytes:
    """A document in block style, its keys in the order given."""
    if not document:
        return _emitted(document)
    return "".join(_lines(document)).encode()


def _emitted(document: Mapping[str, Any]) -> bytes:
    text: bytes = yaml.dump(
        document,
        Dumper=_Dumper,
        encoding="utf-8",
        allow_unicode=True,
        sort_keys=False,
        default_flow_style=False,
        width=2**30,  # never folded: a line a value, for grep
    )
    return text


class _NotPlain(Exception):
    """There is something that may have to be quoted or that has no simple form."""


# Text that means itself in every version of YAML: ordinary names and paths, checksums, our timestamps. A key of more
# than 128 bytes has another form; beyond the characters of three bytes in UTF-8, the emitter escapes.
_MEANS_ITSELF = re.compile(
    r"(?![yYnN]$|[yY]es$|YES$|[nN]o$|NO$|[oO]n$|ON$|[oO]ff$|OFF$|[tT]rue$|TRUE$|[fF]alse$|FALSE$|[nN]ull$|NULL$)"
    r"(?=[ -~]{1,128}$|[ -\ud7ff]{1,42}$)[^\W\d][\w./@+'-]*(?: [\w./@+'-]+)*"
    r"|(?=[0-9e]*[a-df]|[0-9]*e[0-9]*e)[0-9a-f]{32}"
    r"|[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6} UTC"
)


# Every line that is not empty; YAML knows more line breaks than one.
_LINE = re.compile("(?:^|(?<=[\n\r\x85\u2028\u2029]))(?=[^\n\r\x85\u2028\u2029])")


def _lines(document: Mapping[str, Any], indentation: str = "") -> Iterator[str]:
    """What the emitter would write, in a tenth of its time and memory where there is no oddity."""
    for key, value in document.items():
        try:
            yield from _entry(key, value, indentation)
        except _NotPlain:
            # One name with a comma must not send a roster of thousands through the emitter.
            yield _LINE.sub(indentation, _emitted({key: value}).decode())


def _entry(key: str, value: Any, indentation: str) -> Iterable[str]:
    """An entry's lines; raises `_NotPlain` before the first of them, or never."""
    name = indentation + _itself(key)
    if isinstance(value, str):
        return (f"{name}: {_itself(value)}\n",)
    if value == {}:
        return (f"{name}: {{}}\n",)
    if isinstance(value, dict):
        return itertools.chain((f"{name}:\n",), _lines(value, indentation + "  "))
    if not isinstance(value, list) or not value or indentation:
        raise _NotPlain
    return [f"{name}:\n", *_items(value)]


def _items(entries: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    for entry in entries:
        if not isinstance(entry, dict) or not entry:
            raise _NotPlain
        mark = "-"
        for key, value in entry.items():
            yield f"{mark} {_itself(key)}: {value if type(value) is int else _itself(value)}\n"
            mark = " "


def _itself(text: object) -> str:
    if not isinstance(text, str) or not _MEANS_ITSELF.fullmatch(text):
        raise _NotPlain
    return text


def text_in(document: Mapping[str, Node], key: str, *above: str) -> str | None:
    """The text under `key`, None where it is absent or empty.

    Args:
        above: the keys that lead to `document`, for the error.

    Raises:
        WrongShape: something else stands there.
    """
    value = document.get(key)
    if value is None or isinstance(value, str):
        return value
    raise WrongShape((*above, key), f"`{key}` has to be a single value")


def mapping_in(document: Mapping[str, Node], key: str) -> Mapping[str, Node]:
    """The mapping under `key`, an empty one where it is absent or empty.

    Raises:
        WrongShape: something else stands there.
    """
    value = document.get(key)
    if value is None:
        return {}
    if isinstance(value, Mapping):
        return value
    raise WrongShape((key,), f"`{key}` has to be a mapping of names (`{key}:`, then indented lines `name:`)")
