"""Pods that come and go: several at once, one after the other, and when a node is drained."""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import yaml

from tests.chart.findings import Finding
from tests.chart.manifests import Manifest, name_of, of_kind, pod_templates
from tests.chart.selectors import matches

SHARED_MODE = "ReadWriteMany"
# `drain-seconds` of the server where nothing else is set.
DRAIN_SECONDS = 60


def check_replicas(manifests: Sequence[Manifest]) -> Iterator[Finding]:
    """Several pods at once only on a volume that several nodes can mount."""
    claims = {claim["metadata"]["name"]: claim for claim in of_kind(manifests, "PersistentVolumeClaim")}
    for deployment in of_kind(manifests, "Deployment"):
        where, spec = name_of(deployment), deployment["spec"]
        (template,) = [each for each in pod_templates(manifests) if each.owner == where]
        used = [(volume.get("persistentVolumeClaim") or {}).get("claimName")
                for volume in template.spec.get("volumes") or []]  # fmt: skip
        not_shared = [name for name in used if name in claims
                      and SHARED_MODE not in claims[name]["spec"].get("accessModes", [])]  # fmt: skip
        strategy = (spec.get("strategy") or {}).get("type", "RollingUpdate")
        for name in not_shared:
            if spec.get("replicas", 1) > 1:
                yield Finding("volume-shared-by-replicas", where, f"{spec['replicas']} replicas, {name}")
            if strategy != "Recreate":
                yield Finding("update-waits-for-volume", where, f"{strategy}, {name}")


def check_disruption_budgets(manifests: Sequence[Manifest]) -> Iterator[Finding]:
    """At least one pod may be evicted."""
    for budget in of_kind(manifests, "PodDisruptionBudget"):
        spec = budget.get("spec") or {}
        for deployment in of_kind(manifests, "Deployment"):
            if matches(spec.get("selector"), deployment["spec"]["template"]["metadata"].get("labels") or {}):
                replicas = deployment["spec"].get("replicas", 1)
                if "maxUnavailable" in spec:
                    allowed = _part_of(spec["maxUnavailable"], replicas)
                else:
                    allowed = replicas - _part_of(spec.get("minAvailable", 1), replicas)
                if allowed < 1 and replicas:
                    yield Finding("disruption-budget-blocks", name_of(budget), f"{replicas} replicas")


def _part_of(wanted: Any, replicas: int) -> int:
    """A number, or a percentage, which is rounded up."""
    text = str(wanted)
    return math.ceil(int(text[:-1]) * replicas / 100) if text.endswith("%") else int(text)


def check_grace_periods(manifests: Sequence[Manifest]) -> Iterator[Finding]:
    """A pod has the time to finish what it has begun, after it has waited for its hook."""
    drained = _drain_seconds(manifests)
    for template in pod_templates(manifests):
        if template.is_test:
            continue
        waited = max(_hook_seconds(container) for _, container in template.containers)
        grace = template.spec.get("terminationGracePeriodSeconds", 30)
        if grace <= drained + waited:
            yield Finding("killed-while-draining", template.owner, f"{grace} s for {waited} s and {drained} s")


def _drain_seconds(manifests: Sequence[Manifest]) -> int:
    for config in of_kind(manifests, "ConfigMap"):
        for text in (config.get("data") or {}).values():
            settings = yaml.safe_load(text)
            if isinstance(settings, dict) and "drain-seconds" in settings:
                return int(settings["drain-seconds"])
    return DRAIN_SECONDS


def _hook_seconds(container: Mapping[str, Any]) -> int:
    hook = (container.get("lifecycle") or {}).get("preStop") or {}
    command = (hook.get("exec") or {}).get("command") or []
    seconds = command[1] if command[:1] == ["sleep"] else (hook.get("sleep") or {}).get("seconds", 0)
    return int(seconds)
