"""The page about the chart's values is made of `values.yaml`, which explains each; the schema knows each."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from ngshare_fs import __version__
from tests.chart.manifests import pod_templates
from tests.chart.rendering import CHART, Installation
from tests.chart.values_matrix import CASES, DIGEST
from tools import chart_values

VALUES = (CHART / "values.yaml").read_text(encoding="utf-8")
SCHEMA = json.loads((CHART / "values.schema.json").read_text(encoding="utf-8"))


def test_the_page_is_what_the_values_say() -> None:
    old_values = (CHART / "templates" / "_old_values.tpl").read_text(encoding="utf-8")
    page = chart_values.make_page(VALUES, old_values)
    assert chart_values.PAGE.read_text(encoding="utf-8") == page, "run: python tools/chart_values.py"


def test_values_and_schema_agree() -> None:
    assert not chart_values.find_problems(VALUES, SCHEMA)


def test_every_value_is_on_the_page() -> None:
    page = chart_values.PAGE.read_text(encoding="utf-8")
    _, values = chart_values.read_values(VALUES)
    for value in (each for top in values for each in top.all):
        assert f"`{value.name}`" in page or f"## {value.name}\n" in page, value.name


SMALL = """\
# Values of a chart.
#
# What they
# are.

# How many.
# At least one.
count: 1

# A part.
part:
  # What it is called | or not.
  name: ""
  # A mapping: see docs/api.md.
  map: {a: [b]}
    # not a comment of anything

  # A deeper part.
  deep:
    # The last.
    last: null
# Without parts.
whole:
  a: 1
"""
SMALL_SCHEMA: dict[str, Any] = {
    "additionalProperties": False,
    "properties": {
        "count": {"type": "integer"},
        "part": {
            "additionalProperties": False,
            "properties": {
                "name": {"type": "string"},
                "map": {"type": "object"},
                "deep": {"additionalProperties": False, "properties": {"last": {}}},
            },
        },
        "whole": {"additionalProperties": False, "properties": {"a": {}}},
    },
}


def test_comments_belong_to_the_key_below_them() -> None:
    head, values = chart_values.read_values(SMALL)
    assert head == "Values of a chart.\n\nWhat they are."
    found = {value.name: (value.default, value.comment) for top in values for value in top.all}
    assert found["count"] == (1, "How many. At least one.")
    assert found["part.name"] == ("", "What it is called | or not.")
    assert found["part.deep.last"] == (None, "The last.")
    assert found["whole"] == ({"a": 1}, "Without parts.")
    assert list(found) == ["count", "part", "part.name", "part.map", "part.deep", "part.deep.last", "whole"]
    page = chart_values.make_page(SMALL, '(list "a.b" "c.d" list)')
    assert '| `part.name` | `""` | What it is called \\| or not. |\n' in page
    assert "| `part.map` | `{a: [b]}` | A mapping: see [api.md](api.md). |\n" in page
    assert "| `part.deep` |  | A deeper part. |\n" in page
    assert "| `a.b` | `c.d` |\n" in page
    assert not chart_values.find_problems(SMALL, SMALL_SCHEMA)


@pytest.mark.parametrize(
    ("before", "after", "problem"),
    [
        ("# How many.\n# At least one.\n", "", "count: no comment above it"),
        ("  # What it is called | or not.\n", "", "part.name: no comment above it"),
        ("# A part.\n", "", "part: no comment above it"),
        ("count: 1", "count: one", "count: the default is not what the schema allows"),
        ('  name: ""\n', '  nome: ""\n', "part.nome: in values.yaml, and not in the schema"),
        ('  name: ""\n', '  nome: ""\n', "part.name: in the schema, and not in values.yaml"),
        ("# Without parts.\nwhole:\n  a: 1\n", "", "whole: in the schema, and not in values.yaml"),
        ("    last: null", "    least: null", "part.deep.last: in the schema, and not in values.yaml"),
    ],
)
def test_what_is_missing_is_said(before: str, after: str, problem: str) -> None:
    assert before in SMALL
    problems = chart_values.find_problems(SMALL.replace(before, after), SMALL_SCHEMA)
    assert any(each.startswith(problem) for each in problems), problems


def test_a_schema_that_lets_anything_pass_is_named() -> None:
    schema = json.loads(json.dumps(SMALL_SCHEMA))
    del schema["properties"]["part"]["additionalProperties"], schema["additionalProperties"]
    assert chart_values.find_problems(SMALL, schema) == [
        "part: the schema lets unknown keys pass",
        "the top: the schema lets unknown keys pass",
    ]


def test_a_stale_page_fails_the_check(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    monkeypatch.setattr(chart_values, "PAGE", page)
    monkeypatch.setattr(chart_values, "REPOSITORY", tmp_path)
    assert chart_values.main(["--check"]) == 1
    assert chart_values.main([]) == 0
    assert chart_values.main(["--check"]) == 0
    page.write_text(page.read_text(encoding="utf-8") + "\n", encoding="utf-8")
    assert chart_values.main(["--check"]) == 1


def test_every_value_is_set_somewhere_in_the_matrix() -> None:
    _, values = chart_values.read_values(VALUES)
    set_somewhere: set[str] = set()
    for case in CASES.values():
        given = yaml.safe_load(case.values) if isinstance(case.values, str) else case.values
        set_somewhere |= {".".join(path) for path in _paths(given, ())}
    rows = {value.name for top in values for value in top.all if not value.parts}
    assert not rows - set_somewhere


def _paths(given: Any, path: tuple[str, ...]) -> set[tuple[str, ...]]:
    found = {path}
    if isinstance(given, dict):
        for key, value in given.items():
            found |= _paths(value, (*path, key))
    return found


def test_the_chart_has_the_version_of_the_package() -> None:
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text(encoding="utf-8"))
    assert (chart["version"], chart["appVersion"]) == (__version__, __version__)


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        ({}, f"ngshare-fs:{__version__}"),
        ({"tag": "edge"}, "ngshare-fs:edge"),
        ({"repository": "r.example:5000/a/b"}, f"r.example:5000/a/b:{__version__}"),
        ({"tag": "edge", "digest": DIGEST}, f"ngshare-fs@{DIGEST}"),
    ],
)
def test_which_image_runs(image: dict[str, str], expected: str) -> None:
    manifests = Installation.of({"image": image}).manifests()
    # Server and `helm test` are of one image.
    assert {template.spec["containers"][0]["image"] for template in pod_templates(manifests)} == {expected}
