"""The reference of the chart's values, made of the comments in `values.yaml`, and what has to be true of that file.

    python tools/chart_values.py            writes docs/helm-values.md
    python tools/chart_values.py --check    says what is wrong, and changes nothing

A value is documented by the comment right above its key. A mapping whose keys have comments is a section; any other
value, mappings included, is one row of a table.
"""

import json
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import jsonschema
import yaml

REPOSITORY = Path(__file__).resolve().parents[1]
CHART = REPOSITORY / "helm" / "ngshare-fs"
PAGE = REPOSITORY / "docs" / "helm-values.md"
# Objects of Kubernetes, which may have more fields than values.yaml sets.
OF_KUBERNETES = ("resources", "podSecurityContext", "securityContext")
# Values that the chart understands because ngshare's own chart has them; the schema says so of each.
OLD = "Of ngshare's chart"

HEAD = """# Values of the chart

Made from `helm/ngshare-fs/values.yaml`, whose comments these are, by `python tools/chart_values.py`. How to install it:
[kubernetes.md](kubernetes.md).
"""


@dataclass(frozen=True)
class Value:
    """One value.

    Args:
        path: its keys, the outermost first.
        default: what it is where nothing is set.
        comment: what `values.yaml` says of it; empty for nothing.
        parts: the values in it, where it is a section.
    """

    path: tuple[str, ...]
    default: Any
    comment: str
    parts: tuple["Value", ...] = ()

    @property
    def name(self) -> str:
        return ".".join(self.path)

    @property
    def all(self) -> Iterator["Value"]:
        """This one, and all that are in it."""
        yield self
        for part in self.parts:
            yield from part.all


def read_values(text: str) -> tuple[str, tuple[Value, ...]]:
    """Understand a `values.yaml`.

    Returns:
        The comment at its head, and its values.
    """
    head, comments = _comments(text)
    return head, _with_comments(yaml.safe_load(text) or {}, (), comments)


def _with_comments(
    mapping: Mapping[str, Any], path: tuple[str, ...], comments: Mapping[tuple[str, ...], str]
) -> tuple[Value, ...]:
    found = []
    for key, default in mapping.items():
        value = Value((*path, key), default, comments.get((*path, key), ""))
        if isinstance(default, dict):
            parts = _with_comments(default, value.path, comments)
            if any(part.comment for part in parts):
                value = replace(value, parts=parts)
        found.append(value)
    return tuple(found)


def _comments(text: str) -> tuple[str, dict[tuple[str, ...], str]]:
    """The comment at the head, and that of each key: block mappings only, as the file is written."""
    head = ""
    found: dict[tuple[str, ...], str] = {}
    lines: list[str] = []
    path: list[tuple[int, str]] = []
    for line in text.splitlines():
        comment = re.fullmatch(r" *# ?(.*)", line)
        if comment:
            lines.append(comment[1])
            continue
        if not line.strip() and lines and not found and not head:
            head = _in_paragraphs(lines)
        key = re.match(r"( *)([A-Za-z][-\w]*):(?: |$)", line)
        if key:
            while path and path[-1][0] >= len(key[1]):
                path.pop()
            path.append((len(key[1]), key[2]))
            if lines:
                found[tuple(name for _, name in path)] = " ".join(lines)
        lines = []
    return head, found


def _in_paragraphs(lines: Sequence[str]) -> str:
    return "\n\n".join(" ".join(each.split("\n")) for each in "\n".join(lines).split("\n\n"))


def make_page(values_text: str, old_values_template: str) -> str:
    """The reference.

    Args:
        values_text: of `values.yaml`.
        old_values_template: the template that moves values of ngshare's chart to their new places.
    """
    head, values = read_values(values_text)
    # The first paragraph says whose values they are.
    parts = [HEAD, *(_linked(each) + "\n" for each in head.split("\n\n")[1:])]
    parts += ["## At the top\n", _table([value for value in values if not value.parts])]
    for section in values:
        if section.parts:
            parts += [f"## {section.name}\n"]
            parts += [_linked(section.comment) + "\n"] if section.comment else []
            parts += [_table([value for part in section.parts for value in part.all])]
    parts += [
        "## Values of ngshare's own chart\n",
        "They are understood, and NOTES name what has taken their place. One that is set by both names is an error.\n",
        "| there | here |\n| --- | --- |\n"
        + "".join(f"| `{old}` | `{new}` |\n" for old, new in moved_values(old_values_template)),
    ]
    return "\n".join(parts)


def moved_values(template: str) -> list[tuple[str, str]]:
    """What the chart takes from ngshare's chart: the old name of a value, and the new one."""
    listed = re.findall(r'\(list "([\w.]+)" "([-\w.]+)" ', template)
    return listed + re.findall(r'"(ngshare\.\w+) is now (\w+)', template)


def _table(values: Sequence[Value]) -> str:
    rows = "".join(
        f"| `{value.name}` | {'' if value.parts else _code(value.default)} | {_cell(value.comment)} |\n"
        for value in values
    )
    return "| value | default | meaning |\n| --- | --- | --- |\n" + rows


def _code(default: Any) -> str:
    if isinstance(default, str):
        return f"`{default}`" if default else '`""`'
    text = yaml.safe_dump(default, default_flow_style=True, width=10**6, sort_keys=False)
    return f"`{text.removesuffix('...' + chr(10)).strip()}`"


def _cell(comment: str) -> str:
    return _linked(comment).replace("|", "\\|")


def _linked(comment: str) -> str:
    return re.sub(r"\bdocs/([\w-]+\.md)\b", r"[\1](\1)", comment)


def find_problems(values_text: str, schema: Mapping[str, Any]) -> list[str]:
    """What is wrong with a `values.yaml`, or with the schema beside it, a line each."""
    _, values = read_values(values_text)
    problems = [f"{value.name}: no comment above it" for top in values for value in top.all if not value.comment]
    defaults = yaml.safe_load(values_text)
    problems += [
        f"{'.'.join(map(str, error.absolute_path))}: the default is not what the schema allows: {error.message}"
        for error in jsonschema.Draft7Validator(schema).iter_errors(defaults)
    ]
    return problems + list(_differences(values, schema, ()))


def _differences(values: Sequence[Value], schema: Mapping[str, Any], path: tuple[str, ...]) -> Iterator[str]:
    """Keys that are in one of the two alone, in every section."""
    properties = schema.get("properties", {})
    is_closed = schema.get("additionalProperties") is False
    for value in values:
        if value.path[-1] not in properties:
            if is_closed:
                yield f"{value.name}: in values.yaml, and not in the schema"
        elif value.parts:
            yield from _differences(value.parts, properties[value.path[-1]], value.path)
    if path and path[0] in OF_KUBERNETES:
        return
    if not is_closed:
        yield f"{'.'.join(path) or 'the top'}: the schema lets unknown keys pass"
    for key, of_schema in properties.items():
        if key not in {value.path[-1] for value in values} and not str(of_schema.get("description", "")).startswith(
            OLD
        ):
            yield f"{'.'.join((*path, key))}: in the schema, and not in values.yaml"


def main(arguments: Sequence[str]) -> int:
    """Write the reference, or check it."""
    if arguments not in ([], ["--check"]):
        print("usage: python tools/chart_values.py [--check]", file=sys.stderr)
        return 2
    values_text = (CHART / "values.yaml").read_text(encoding="utf-8")
    schema = json.loads((CHART / "values.schema.json").read_text(encoding="utf-8"))
    page = make_page(values_text, (CHART / "templates" / "_old_values.tpl").read_text(encoding="utf-8"))
    problems = find_problems(values_text, schema)
    if not arguments:
        PAGE.write_text(page, encoding="utf-8")
    elif not PAGE.exists() or PAGE.read_text(encoding="utf-8") != page:
        problems.append(f"{PAGE.relative_to(REPOSITORY)} is not what values.yaml says: python tools/chart_values.py")
    for problem in problems:
        print(problem, file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
