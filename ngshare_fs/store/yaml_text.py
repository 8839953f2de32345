"""YAML as the volume uses it: mappings, lists and text, nothing else.

Whatever YAML thinks of a scalar (`no`, `007`, `1e3`, `null`, `2020-01-01`), here it is the text that stands
there; a value left empty (`email:`) is None. A key given twice is an error, for one of the two would be lost.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeAlias, TypeVar

import yaml

from ngshare_fs.store.errors import BrokenManifest

# The C parser calls itself for each level, and where the stack ends, so does the process.
DEEPEST = 100
_MAY_BE_DEEP = re.compile(rb"^[-?: ]{%d}" % DEEPEST, re.MULTILINE)

Node: TypeAlias = "str | list[Node] | dict[str, Node] | None"


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
        BrokenManifest: it is no YAML mapping, names a key twice, uses aliases, or has the wrong shape.
    """
    root = _compose(content, file)
    document = _plain(root, file, set())
    assert isinstance(document, dict)
    try:
        return understand(document)
    except WrongShape as error:
        raise BrokenManifest(file, _line_of(root, error.keys), error.problem) from None


def _compose(content: bytes, file: str) -> yaml.MappingNode:
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise BrokenManifest(file, line, "not UTF-8; save the file in that encoding") from None
    try:
        if content.count(b"[") + content.count(b"{") > DEEPEST or _MAY_BE_DEEP.search(content):
            _check_depth(text, file)
        # Composed, never constructed: no tag in the file makes an object.
        root = yaml.compose(text, Loader=_TextLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise BrokenManifest(file, mark.line + 1 if mark else 1, error.problem or str(error)) from None
    except yaml.reader.ReaderError as error:
        line = content.count(b"\n", 0, error.position) + 1
        raise BrokenManifest(file, line, f"{error.reason} (#x{error.character:04x})") from None
    except yaml.YAMLError as error:
        raise BrokenManifest(file, 1, " ".join(str(error).split())) from None
    if not isinstance(root, yaml.MappingNode):
        line = root.start_mark.line + 1 if root is not None else 1
        raise BrokenManifest(file, line, "a mapping (`name: value`) is expected here")
    return root


def _check_depth(text: str, file: str) -> None:
    depth = 0
    for event in yaml.parse(text, Loader=_TextLoader):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > DEEPEST:
                line = event.start_mark.line + 1 if event.start_mark else 1
                raise BrokenManifest(file, line, "nested too deeply")
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1


def _line_of(node: yaml.Node, keys: tuple[str, ...]) -> int:
    line: int = node.start_mark.line + 1
    for key in keys:
        if not isinstance(node, yaml.MappingNode):
            break
        for key_node, value_node in node.value:
            if key_node.value == key:
                line, node = key_node.start_mark.line + 1, value_node
                break
    return line


def dump(document: Mapping[str, Any]) -> bytes:
    """A document in block style, its keys in the order given."""
    try:
        return "".join(_lines(document)).encode()
    except _NotPlain:
        pass
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
    r"|(?=[0-9]*[a-df])[0-9a-f]{32}"
    r"|[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6} UTC"
)


def _lines(document: Mapping[str, Any], indentation: str = "") -> Iterator[str]:
    """What the emitter would write for a manifest or a roster without any oddity, in a tenth of its time."""
    if not document:
        raise _NotPlain
    for key, value in document.items():
        name = indentation + _itself(key)
        if isinstance(value, str):
            yield f"{name}: {_itself(value)}\n"
            continue
        if value == {}:
            yield f"{name}: {{}}\n"
            continue
        if isinstance(value, dict):
            yield f"{name}:\n"
            yield from _lines(value, indentation + "  ")
            continue
        if not isinstance(value, list) or not value or indentation:
            raise _NotPlain
        yield f"{name}:\n"
        for entry in value:
            mark = "-"
            for inner_key, inner in entry.items():
                yield f"{mark} {_itself(inner_key)}: {inner if type(inner) is int else _itself(inner)}\n"
                mark = " "


def _itself(text: str) -> str:
    if not _MEANS_ITSELF.fullmatch(text):
        raise _NotPlain
    return text


def _plain(node: yaml.Node, file: str, above: set[int]) -> Node:
    line = node.start_mark.line + 1
    if id(node) in above:
        # An alias (`*name`) hands out one node twice; nested, a small file would grow without bound.
        raise BrokenManifest(file, line, "aliases (`*name`) are not understood; write the value out")
    above.add(id(node))
    if isinstance(node, yaml.ScalarNode):
        return None if node.value == "" and not node.style else str(node.value)
    if isinstance(node, yaml.SequenceNode):
        return [_plain(item, file, above) for item in node.value]
    mapping: dict[str, Node] = {}
    for key_node, value_node in node.value:
        key = _plain(key_node, file, above)
        key_line = key_node.start_mark.line + 1
        if not isinstance(key, str):
            raise BrokenManifest(file, key_line, "a name is expected before the colon")
        if key in mapping:
            raise BrokenManifest(file, key_line, f"{key!r} is given twice; remove one of the two")
        mapping[key] = _plain(value_node, file, above)
    return mapping


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
