"""The configuration file: YAML of options, each with the line where it stands."""

from pathlib import Path

import yaml

from ngshare_fs.settings.options import BY_NAME, near_match
from ngshare_fs.settings.settings import SettingsError
from ngshare_fs.settings.values import Raw


def read_file(path: str) -> bytes:
    """What the file holds; raises SettingsError where it cannot be read."""
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise SettingsError(f"{path}: {error.strerror}") from None


def options_in(content: bytes, path: str) -> dict[str, tuple[str, Raw]]:
    """Give each key's place (`file:line: key`) and raw value.

    Scalars are taken as they are written, not as YAML types them: `no`, `007` and `1e3` are user names, and
    each option knows best what its value means.
    """
    try:
        root = yaml.compose(content.decode("utf-8"), Loader=yaml.SafeLoader)
    except UnicodeDecodeError:
        raise SettingsError(f"{path}: not UTF-8") from None
    except yaml.MarkedYAMLError as error:
        line = f":{error.problem_mark.line + 1}" if error.problem_mark else ""
        raise SettingsError(f"{path}{line}: not YAML: {error.problem or error.context}") from None
    except yaml.YAMLError as error:
        raise SettingsError(f"{path}: not YAML: {' '.join(str(error).split())}") from None
    if root is None or (isinstance(root, yaml.ScalarNode) and not root.value):
        return {}
    if not isinstance(root, yaml.MappingNode):
        raise SettingsError(f"{path}: not a list of `option: value` lines")
    found: dict[str, tuple[str, Raw]] = {}
    for key_node, value_node in root.value:
        place = f"{path}:{key_node.start_mark.line + 1}"
        key = key_node.value if isinstance(key_node, yaml.ScalarNode) else ""
        if key not in BY_NAME:
            raise SettingsError(f"{place}: {key!r} is no option{near_match(key, list(BY_NAME))}")
        if key in found:
            raise SettingsError(f"{place}: {key} is set twice")
        found[key] = (f"{place}: {key}", _raw(value_node, f"{place}: {key}"))
    return found


def _raw(node: yaml.Node, place: str) -> Raw:
    if isinstance(node, yaml.ScalarNode):
        return str(node.value)
    if isinstance(node, yaml.SequenceNode) and all(isinstance(item, yaml.ScalarNode) for item in node.value):
        return [str(item.value) for item in node.value]
    if isinstance(node, yaml.MappingNode):
        return {_scalar(key, place): _mapping(value, place) for key, value in node.value}
    raise SettingsError(f"{place}: takes a value or a list of values, nothing nested")


def _mapping(node: yaml.Node, place: str) -> dict[str, str]:
    if isinstance(node, yaml.ScalarNode) and not node.value:
        return {}
    if not isinstance(node, yaml.MappingNode):
        raise SettingsError(f"{place}: not a mapping such as {{autograder: {{admin: true}}}}")
    return {_scalar(key, place): _scalar(value, place) for key, value in node.value}


def _scalar(node: yaml.Node, place: str) -> str:
    if not isinstance(node, yaml.ScalarNode):
        raise SettingsError(f"{place}: nested too deeply")
    return str(node.value)
