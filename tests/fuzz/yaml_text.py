"""The volume's YAML: it is read as by PyYAML, and what is written is read as it was, by us and by others."""

import json
from typing import Any

import yaml
from yaml.composer import ComposerError

from ngshare_fs.formats.yaml_text import BrokenYaml, Node, dump, parse

DICTIONARY = (
    b"a: b\n", b"- a\n", b"  ", b": ", b"? ", b"&a", b"*a", b"!!int ", b"|\n", b">-\n", b"---\n", b"...\n", b"'", b'"',
    b"%YAML 1.1\n", b"#", b"[", b"]", b"{", b"}", b"\xe2\x80\xa8", b"\xc2\x85", b"\xef\xbb\xbf",
    b"\t", b"null", b"~", b"<<: ",
    b"2020-01-01", b"0x1F", b"1_000", b"no", b"\\x00", b"\\u2028", b"\xf0\x9f\x98\x80", b"{\"a\":\"", b"\"}",
)  # fmt: skip


def check(data: bytes) -> None:
    """Raise unless text is read as PyYAML reads it, and whatever is written reads as it was."""
    try:
        document = parse(data, "f", dict)
    except BrokenYaml as error:
        line = error.line
    else:
        line = 1
        try:
            assert document == _by_yaml(data)
        except ComposerError as error:
            # YAML allows an anchor of the same name twice, and PyYAML does not. Without aliases, which we refuse, an
            # anchor says nothing.
            if "duplicate anchor" not in str(error):
                raise
        _check_written(document)
    assert 1 <= line <= len(data.decode("utf-8", "replace").splitlines()) + 2
    try:
        made = json.loads(data)
    except (ValueError, RecursionError):
        return
    if isinstance(made, dict):
        _check_written({key: value for key, value in made.items() if _is_text(key) and _is_text(value)})


def _by_yaml(data: bytes) -> Any:
    loader = yaml.CBaseLoader(data.decode("utf-8"))
    try:
        node = loader.get_single_node()
        assert node is not None
        return _with_nothing(node)
    finally:
        loader.dispose()


def _with_nothing(node: yaml.Node) -> Node:
    """What a node says: text, and None where nothing stands."""
    if isinstance(node, yaml.MappingNode):
        return {key.value: _with_nothing(value) for key, value in node.value}
    if isinstance(node, yaml.SequenceNode):
        return [_with_nothing(inner) for inner in node.value]
    assert isinstance(node, yaml.ScalarNode)
    return str(node.value) if node.value or node.style else None


def _is_text(value: Any) -> bool:
    if not isinstance(value, str) or "\0" in value:
        return False
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _check_written(document: dict[str, Any]) -> None:
    written = dump(document)
    assert parse(written, "f", dict) == document, written
    # Somebody else's program, which knows types, takes none of our texts for anything else.
    assert yaml.safe_load(written) == document, written
