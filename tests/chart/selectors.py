"""Label selectors: which labels match."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tests.chart.findings import Finding
from tests.chart.manifests import Manifest, PodTemplate, name_of, pod_templates


def matches(selector: Mapping[str, Any] | None, labels: Mapping[str, str]) -> bool:
    """Whether a `LabelSelector` matches: an empty one matches everything, none at all matches nothing.

    Raises:
        ValueError: an operator that there is not, or one without the values that it needs.
    """
    if selector is None:
        return False
    unknown = set(selector) - {"matchLabels", "matchExpressions"}
    if unknown:
        raise ValueError(f"a selector has no {sorted(unknown)}")
    wanted = selector.get("matchLabels") or {}
    return all(labels.get(key) == value for key, value in wanted.items()) and all(
        _holds(expression, labels) for expression in selector.get("matchExpressions") or []
    )


def _holds(expression: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    key, operator = str(expression["key"]), str(expression["operator"])
    values: list[str] = expression.get("values") or []
    if operator in ("In", "NotIn"):
        if not values:
            raise ValueError(f"{operator} needs values")
        # What does not have the label at all is not in the set, either.
        return (labels.get(key) in values) is (operator == "In")
    if operator in ("Exists", "DoesNotExist"):
        if values:
            raise ValueError(f"{operator} takes no values")
        return (key in labels) is (operator == "Exists")
    raise ValueError(f"there is no operator {operator!r}")


def check_selectors(manifests: Sequence[Manifest]) -> Iterator[Finding]:
    """Whoever selects pods selects the right ones."""
    templates = list(pod_templates(manifests))
    for manifest in manifests:
        kind, where, spec = manifest.get("kind"), name_of(manifest), manifest.get("spec") or {}
        if kind in ("Deployment", "StatefulSet", "DaemonSet"):
            (own,) = [template for template in templates if template.owner == where]
            if not matches(spec.get("selector"), own.labels):
                yield Finding("selector-does-not-match", where, f"labels {dict(own.labels)}")
            yield from _only_servers(where, spec.get("selector"), templates)
        elif kind == "Service" and spec.get("selector"):
            yield from _only_servers(where, {"matchLabels": spec["selector"]}, templates)
        elif kind == "PodDisruptionBudget":
            yield from _only_servers(where, spec.get("selector"), templates)
        elif kind == "NetworkPolicy" and not _selected(spec.get("podSelector"), templates):
            yield Finding("selects-nothing", where)


def _selected(selector: Mapping[str, Any] | None, templates: Sequence[PodTemplate]) -> list[PodTemplate]:
    return [template for template in templates if matches(selector, template.labels)]


def _only_servers(
    where: str, selector: Mapping[str, Any] | None, templates: Sequence[PodTemplate]
) -> Iterator[Finding]:
    selected = _selected(selector, templates)
    if not any(not template.is_test for template in selected):
        yield Finding("selects-nothing", where)
    for template in selected:
        if template.is_test:
            yield Finding("selects-test-pod", where, template.owner)
