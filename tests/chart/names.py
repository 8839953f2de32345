"""Names, labels and keys, as the API server takes them."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from tests.chart.findings import Finding
from tests.chart.manifests import Manifest, PodTemplate, name_of, pod_templates

# RFC 1123: a label of a host name, and several of them.
_LABEL = r"[a-z0-9](?:[-a-z0-9]*[a-z0-9])?"
# RFC 1035, which is what Services are held to: begins with a letter.
_SERVICE = r"[a-z](?:[-a-z0-9]*[a-z0-9])?"
_QUALIFIED = r"[A-Za-z0-9](?:[-A-Za-z0-9_.]*[A-Za-z0-9])?"
_ENVIRONMENT_VARIABLE = r"[-._a-zA-Z][-._a-zA-Z0-9]*"
_DATA_KEY = r"[-._a-zA-Z0-9]+"
_MOST_ANNOTATIONS = 256 * 1024


def is_label(text: Any, most: int = 63) -> bool:
    """A label as RFC 1123 has it."""
    return isinstance(text, str) and len(text) <= most and bool(re.fullmatch(_LABEL, text))


def is_subdomain(text: Any, most: int = 253) -> bool:
    """Such labels with dots between them."""
    return isinstance(text, str) and len(text) <= most and all(is_label(part) for part in text.split("."))


def is_service_name(text: Any) -> bool:
    """A label as RFC 1035 has it."""
    return is_label(text) and bool(re.fullmatch(_SERVICE, text))


def is_port_name(text: Any) -> bool:
    """A name of a port: at least one letter, at most 15 characters, no two hyphens in a row."""
    return is_label(text, 15) and "--" not in text and bool(re.search("[a-z]", text))


def is_qualified_name(text: Any) -> bool:
    """A key of a label or an annotation: a name, with a domain before it or without."""
    if not isinstance(text, str):
        return False
    domain, slash, name = text.rpartition("/")
    return len(name) <= 63 and bool(re.fullmatch(_QUALIFIED, name)) and (not slash or is_subdomain(domain))


def is_label_value(text: Any) -> bool:
    """A label's value; it may be empty."""
    return isinstance(text, str) and len(text) <= 63 and bool(re.fullmatch(f"(?:{_QUALIFIED})?", text))


def check_names(manifests: Sequence[Manifest]) -> Iterator[Finding]:
    """Names of objects and of their parts."""
    for name, count in Counter(map(name_of, manifests)).items():
        if count > 1:
            yield Finding("name-used-twice", name, f"{count} objects")
    for manifest in manifests:
        where, metadata = name_of(manifest), manifest.get("metadata") or {}
        right = is_service_name if manifest.get("kind") == "Service" else is_subdomain
        if not right(metadata.get("name")):
            yield Finding("name-invalid", where)
        if "namespace" in metadata and not is_label(metadata["namespace"]):
            yield Finding("name-invalid", where, f"namespace {metadata['namespace']!r}")
        yield from _labels(where, metadata)
        if manifest.get("kind") in ("ConfigMap", "Secret"):
            for group in ("data", "stringData", "binaryData"):
                for key in manifest.get(group) or {}:
                    if not re.fullmatch(_DATA_KEY, str(key)) or len(str(key)) > 253 or set(str(key)) == {"."}:
                        yield Finding("name-invalid", where, f"key {key!r}")
    for template in pod_templates(manifests):
        yield from _labels(template.owner, {"labels": template.labels, "annotations": template.annotations})
        yield from _parts(template)


def check_port_names(manifests: Sequence[Manifest]) -> Iterator[Finding]:
    """Names of ports, each of which is there once."""
    for manifest in manifests:
        if manifest.get("kind") == "Service":
            ports = (manifest.get("spec") or {}).get("ports") or []
            yield from _port_names(name_of(manifest), ports)
            yield from _twice(name_of(manifest), "port", [(p.get("port"), p.get("protocol")) for p in ports])
    for template in pod_templates(manifests):
        yield from _port_names(template.owner, template.ports)
        numbers = [(port.get("containerPort"), port.get("protocol")) for port in template.ports]
        yield from _twice(template.owner, "port", numbers)


def _port_names(where: str, ports: Iterable[Mapping[str, Any]]) -> Iterator[Finding]:
    names = [port.get("name") for port in ports]
    for name in names:
        if name is not None and not is_port_name(name):
            yield Finding("port-name-invalid", where, repr(name))
    yield from _twice(where, "port", [name for name in names if name is not None])


def _twice(where: str, what: str, names: Iterable[Any]) -> Iterator[Finding]:
    for name, count in Counter(names).items():
        if count > 1:
            yield Finding("name-used-twice", where, f"{what} {name!r}, {count} times")


def _labels(where: str, metadata: Mapping[str, Any]) -> Iterator[Finding]:
    labels, annotations = metadata.get("labels") or {}, metadata.get("annotations") or {}
    for key, value in labels.items():
        if not is_qualified_name(key) or not is_label_value(value):
            yield Finding("label-invalid", where, f"{key}: {value!r}")
    for key, value in annotations.items():
        # Upper case is allowed in the key of an annotation, unlike in that of a label.
        if not is_qualified_name(str(key).lower()) or not isinstance(value, str):
            yield Finding("label-invalid", where, f"annotation {key}: {value!r}")
    if sum(len(str(key)) + len(str(value)) for key, value in annotations.items()) > _MOST_ANNOTATIONS:
        yield Finding("label-invalid", where, "annotations of more than 256 KiB")


def _parts(template: PodTemplate) -> Iterator[Finding]:
    containers = [container for _, container in template.containers]
    for what, names in (
        ("container", [container.get("name") for container in containers]),
        ("volume", [volume.get("name") for volume in template.spec.get("volumes") or []]),
    ):
        yield from _twice(template.owner, what, names)
        for name in names:
            if not is_label(name):
                yield Finding("name-invalid", template.owner, f"{what} {name!r}")
    for where, container in template.containers:
        variables = [variable.get("name") for variable in container.get("env") or []]
        # The later one counts, so the earlier one is a setting that has no effect.
        yield from _twice(where, "variable", variables)
        for name in variables:
            if not re.fullmatch(_ENVIRONMENT_VARIABLE, str(name)):
                yield Finding("name-invalid", where, f"variable {name!r}")
