"""Values that cannot work are refused before anything is installed, with a sentence that says what to do."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

import jsonschema
import pytest
import yaml

from ngshare_fs.settings.options import BY_NAME, OPTIONS
from tests.chart.checks import check
from tests.chart.refusals import BY_SCHEMA, SENTENCES
from tests.chart.rendering import CHART, Installation, Values
from tests.chart.schemas import VERSIONS, check_schemas
from tests.chart.values_matrix import HUB_SECRET, TOKEN, Case
from tools.helm import RELEASES

helms = pytest.mark.parametrize(
    "helm", [pytest.param(major, marks=[] if major == 4 else pytest.mark.long) for major in sorted(RELEASES)]
)
SCHEMA = json.loads((CHART / "values.schema.json").read_text(encoding="utf-8"))
VALUES = yaml.safe_load((CHART / "values.yaml").read_text(encoding="utf-8"))
# What Kubernetes defines below these is not repeated in the chart's schema; its own schemas tell.
KUBERNETES_OWN = {("podSecurityContext",), ("securityContext",), ("resources", "requests"), ("resources", "limits")}


@helms
@pytest.mark.parametrize(("case", "sentence"), SENTENCES.values(), ids=SENTENCES.keys())
def test_what_does_not_go_together_is_refused(case: Case, sentence: str, helm: int) -> None:
    said = case.installed(helm).refusal()
    assert sentence in " ".join(said.split())


def test_all_that_is_wrong_is_said_at_once() -> None:
    values = {"replicas": 2, "config": {"port": 1}, "hub": {"token": {"existingSecret": ""}}}
    said = Installation.of(values).refusal()
    assert said.count("\n  - ") == 3, said


def test_no_error_shows_the_token() -> None:
    wrong: list[Values] = [
        {"hub": {"token": {"value": TOKEN, "key": "x"}}},
        {"hub": {"token": {"value": f"{TOKEN} "}}},
        {"hub": {"token": {"value": TOKEN}}, "replicas": 2},
        {"hub": {"token": {"value": [TOKEN]}}},
        {"ngshare": {"hub_api_token": TOKEN}, "hub": {"token": {"value": "other"}}},
    ]
    for values in wrong:
        assert TOKEN not in Installation.of(values).refusal()


def _sentences_of_the_chart() -> Iterator[str]:
    """The texts in the templates that end up in an error, each in a line of its own.

    Left out is what is said of objects that are found in a cluster.
    """
    for template in sorted((CHART / "templates").glob("_*.tpl")):
        asks_the_cluster = False
        for line in map(str.strip, template.read_text(encoding="utf-8").splitlines()):
            asks_the_cluster = not line.startswith("{{- define") and (asks_the_cluster or "lookup " in line)
            found = re.match(r'\{\{ (?:printf )?"((?:[^"\\]|\\.)*)".*\}\}\{\{ "\\n" \}\}', line)
            if found and not asks_the_cluster:
                yield json.loads(f'"{found[1]}"')


def test_every_sentence_of_the_chart_is_tried() -> None:
    sentences = list(_sentences_of_the_chart())
    assert len(sentences) >= 19
    said = [" ".join(case.installed().refusal().split()) for case, _ in SENTENCES.values()]
    for sentence in sentences:
        pattern = re.sub(r"%[sd]", ".+", re.escape(sentence).replace("%q", '".+"'))
        assert any(re.search(pattern, each) for each in said), sentence


@pytest.mark.parametrize(("values", "named"), BY_SCHEMA.values(), ids=BY_SCHEMA.keys())
def test_the_schema_refuses_what_a_value_cannot_be(values: Values, named: str) -> None:
    assert named in said_by_the_schema(values)


@pytest.mark.long
@pytest.mark.parametrize("helm", sorted(RELEASES))
@pytest.mark.parametrize(("values", "named"), BY_SCHEMA.values(), ids=BY_SCHEMA.keys())
def test_helm_refuses_what_a_value_cannot_be(values: Values, named: str, helm: int) -> None:
    said = Installation.of(values, helm=helm).refusal()
    assert "values don't meet the specifications of the schema" in said
    assert named in said


def said_by_the_schema(values: Values) -> str:
    """What is wrong with values by the schema alone, each with the place where it is."""
    given = yaml.safe_load(values) if isinstance(values, str) else values
    errors = jsonschema.Draft7Validator(SCHEMA).iter_errors(_over(VALUES, given))
    return "\n".join(f"{'.'.join(map(str, error.absolute_path))}: {error.message}" for error in errors)


def _over(values: Any, given: Any) -> Any:
    """What helm does with given values: mappings are merged, everything else is replaced."""
    if isinstance(values, dict) and isinstance(given, dict):
        return {**values, **{key: _over(values.get(key), value) for key, value in given.items()}}
    return given


def _levels(values: Mapping[str, Any], path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    yield path
    for key, value in values.items():
        if isinstance(value, dict) and value and (*path, key) not in KUBERNETES_OWN:
            yield from _levels(value, (*path, key))


LEVELS = [*_levels(VALUES), ("config",), ("deployment",), ("ngshare",), ("pvc",), ("strategy",), ("startupProbe",)]
# Values that say how the pod is protected.
SECURITY = ("podSecurityContext", "securityContext")
ENDS = (VERSIONS[0], VERSIONS[-1])
levels = pytest.mark.parametrize("path", LEVELS, ids=lambda path: ".".join(path) or "top")


def _misspelt_at(path: tuple[str, ...]) -> Mapping[str, Any]:
    values: Mapping[str, Any] = {"misspelt": 1}
    for key in reversed(path):
        values = {key: values}
    return values


@levels
def test_the_schema_refuses_an_unknown_key_at_every_level(path: tuple[str, ...]) -> None:
    said = said_by_the_schema(_misspelt_at(path))
    assert f"{'.'.join(path)}: Additional properties are not allowed ('misspelt' was unexpected)" in said


@pytest.mark.parametrize(
    "path",
    [pytest.param(path, id=".".join(path) or "top", marks=pytest.mark.long if path else []) for path in LEVELS],
)
@pytest.mark.parametrize("helm", sorted(RELEASES))
def test_helm_refuses_an_unknown_key(path: tuple[str, ...], helm: int) -> None:
    said = Installation.of(_misspelt_at(path), helm=helm).refusal()
    assert "misspelt" in said
    if path:
        assert path[-1] in said


def _all_paths(values: Mapping[str, Any], path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for key, value in values.items():
        yield (*path, key)
        if isinstance(value, dict):
            yield from _all_paths(value, (*path, key))


@pytest.mark.long
@pytest.mark.parametrize("helm", sorted(RELEASES))
@pytest.mark.parametrize("path", list(_all_paths(VALUES)), ids=".".join)
def test_an_empty_key_is_harmless_or_refused(path: tuple[str, ...], helm: int) -> None:
    """As `labels:` with only comments below it: Helm takes away the default, and no template may stumble over that."""
    values: Any = None
    for key in reversed(path):
        values = {key: values}
    installed = Installation.of(values, helm=helm)
    if installed.renders():
        # Whoever takes away what protects the pod has asked for it.
        if path[0] not in SECURITY:
            manifests = installed.manifests()
            found = [*check_schemas(manifests, ENDS), *check(manifests, [HUB_SECRET])]
            assert not list(map(str, found))
    else:
        said = installed.refusal()
        assert "these values cannot be used" in said or "the specifications of the schema" in said, said


def test_the_schema_knows_the_options_of_the_server() -> None:
    assert set(SCHEMA["properties"]["config"]["properties"]) == {option.name for option in OPTIONS}


def _whole_numbers() -> list[str]:
    options = SCHEMA["properties"]["config"]["properties"]
    return [name for name, schema in options.items() if schema.get("type") == ["integer", "null"]]


@pytest.mark.parametrize("name", _whole_numbers())
def test_the_schema_has_the_bounds_of_the_server(name: str) -> None:
    """What the server refuses ends in a pod that is started again and again, when the old one is gone already."""
    schema = SCHEMA["properties"]["config"]["properties"][name]
    parse = BY_NAME[name].parse
    for bound, beyond in ((schema["minimum"], -1), (schema["maximum"], 1)):
        assert parse(str(bound)) == bound
        with pytest.raises(ValueError, match=r"between|whole number"):
            parse(str(bound + beyond))
        assert not said_by_the_schema({"config": {name: bound}})
        assert f"config.{name}" in said_by_the_schema({"config": {name: bound + beyond}})


@pytest.mark.parametrize(
    ("name", "right", "wrong"),
    [
        (
            "max-request",
            ["256MiB", "64M", "1.5 gb", "1048576", 1024, 1024**4],
            ["lots", "64 MiB each", "64Ei", "-1", 1023, 1024**4 + 1],
        ),
        (
            "trusted-proxies",
            [["10.244.0.0/16", "::1"], "10.0.0.0/8, 192.168.1.1", []],
            [["proxy"], ["10.0.0.0-10.0.0.9"], "proxy.example.org"],
        ),
    ],
)
def test_the_schema_takes_what_the_server_takes(name: str, right: list[Any], wrong: list[Any]) -> None:
    parse = BY_NAME[name].parse
    for value in right:
        parse(value if isinstance(value, list) else str(value))
        assert not said_by_the_schema({"config": {name: value}})
    for value in wrong:
        with pytest.raises(ValueError, match=r"between|is not a size|is neither"):
            parse(value if isinstance(value, list) else str(value))
        assert f"config.{name}" in said_by_the_schema({"config": {name: value}})
