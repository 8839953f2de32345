"""What each version of Kubernetes takes: its own schemas, as the package kubernetes-validate carries them.

Its own function `validate` reads two files of a megabyte for each object and version; here they are read once.
"""

import re
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

import jsonschema
from kubernetes_validate import utils
from referencing import Registry, Resource

from tests.chart.findings import Finding
from tests.chart.manifests import Manifest, name_of

# Keys that are null on purpose: this one removes what Kubernetes has filled in for an older Deployment.
_NULL_ON_PURPOSE = {("spec", "strategy", "rollingUpdate")}

VERSIONS = tuple(f"1.{minor}" for minor in range(25, 38))


def check_schemas(manifests: Sequence[Manifest], versions: Sequence[str] = VERSIONS) -> Iterator[Finding]:
    """Every object against the schemas of every version, unknown fields included."""
    for manifest in manifests:
        for place in _without_value(manifest, ()):
            if place not in _NULL_ON_PURPOSE:
                yield Finding("value-missing", name_of(manifest), ".".join(place))
        for version in versions:
            yield from _errors(manifest, version)


def _errors(manifest: Manifest, version: str) -> Iterator[Finding]:
    where = name_of(manifest)
    try:
        validator = _validator(version, str(manifest["kind"]), str(manifest["apiVersion"]))
    except KeyError as missing:
        yield Finding("schema", where, f"no {missing}")
        return
    except FileNotFoundError:
        # kubernetes-validate's command only warns of a kind that it does not know, and goes on.
        yield Finding("schema", where, f"{version} has no {manifest['apiVersion']} {manifest['kind']}")
        return
    for error in validator.iter_errors(manifest):
        place = ".".join(map(str, error.absolute_path))
        yield Finding("schema", where, f"{version}: {place}: {error.message[:200]}")


def _without_value(part: Any, place: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """Keys with nothing behind them: the schemas take those, and the API server drops them silently."""
    if part is None:
        yield place
    parts = part.items() if isinstance(part, dict) else enumerate(part) if isinstance(part, list) else ()
    for key, value in parts:
        yield from _without_value(value, (*place, str(key)))


@cache
def _definitions(folder: str, version: str) -> Registry[Any]:
    return Resource.from_contents(utils.schema_contents(f"{folder}/_definitions.json", version)) @ Registry()


@cache
def _validator(version: str, kind: str, api_version: str) -> jsonschema.Draft202012Validator:
    folder = f"kubernetes-json-schema/v{version}.0-local-strict"
    # `networking.k8s.io/v1` is `networking-v1` in the names of its files.
    group = re.sub(r"^([^./]*)(?:\.[^/]*)?/", r"\1-", api_version)
    schema = utils.schema_contents(f"{folder}/{kind.lower()}-{group}.json", version)
    registry = Resource.from_contents(schema) @ _definitions(folder, version)
    return jsonschema.Draft202012Validator(schema, registry=registry)
