"""Quantities: what containers request, what they may have at most, and how large a claim is."""

import re
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from tests.chart.findings import Finding
from tests.chart.manifests import Manifest, name_of, pod_templates

_FACTORS = {"": Decimal(1), "n": Decimal("1e-9"), "u": Decimal("1e-6"), "m": Decimal("1e-3"), "k": Decimal(1000)}
_FACTORS |= {letter: Decimal(10) ** (3 * power) for power, letter in enumerate("MGTPE", 2)}
_FACTORS |= {f"{letter}i": Decimal(1024) ** power for power, letter in enumerate("KMGTPE", 1)}


def quantity(text: Any) -> Decimal:
    """The number that is meant by `100m`, `64Mi` or `1e3`.

    Raises:
        ValueError: it is none.
    """
    found = re.fullmatch(r"\+?([0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:([eE][-+]?[0-9]+)|([A-Za-z]*))", str(text))
    if isinstance(text, bool) or not found or (found[3] or "") not in _FACTORS:
        raise ValueError(f"{text!r} is no quantity")
    return Decimal(found[1] + (found[2] or "")) * _FACTORS[found[3] or ""]


def check_resources(manifests: Sequence[Manifest]) -> Iterator[Finding]:
    """No container requests more than it may have."""
    for template in pod_templates(manifests):
        for where, container in template.containers:
            yield from _resources(where, container.get("resources") or {})
        for volume in template.spec.get("volumes") or []:
            if "sizeLimit" in (volume.get("emptyDir") or {}):
                where = f"{template.owner} volumes/{volume.get('name')}"
                yield from _resources(where, {"limits": {"size": volume["emptyDir"]["sizeLimit"]}})
    for manifest in manifests:
        if manifest.get("kind") == "PersistentVolumeClaim":
            yield from _resources(name_of(manifest), (manifest.get("spec") or {}).get("resources") or {})


def _resources(where: str, resources: Mapping[str, Mapping[str, Any]]) -> Iterator[Finding]:
    requests, limits = resources.get("requests") or {}, resources.get("limits") or {}
    amounts = {}
    for group, quantities in (("requests", requests), ("limits", limits)):
        for resource, text in quantities.items():
            try:
                amounts[group, resource] = quantity(text)
            except ValueError:
                yield Finding("quantity-invalid", where, f"{resource}: {text!r}")
    for (group, resource), amount in amounts.items():
        if group == "requests" and amount > amounts.get(("limits", resource), amount):
            yield Finding("request-above-limit", where, f"{resource}: {requests[resource]} of {limits[resource]}")
