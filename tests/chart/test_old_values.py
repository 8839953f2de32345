"""Values of ngshare's own chart mean here what they meant there, and the upgrade goes through in place."""

from collections.abc import Mapping
from typing import Any

import pytest

from tests.chart.checks import check
from tests.chart.manifests import of_kind
from tests.chart.rendering import CHART, Installation
from tests.chart.values_matrix import HUB_SECRET, TOKEN
from tools.chart_values import moved_values

_AFFINITY = {"nodeAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [
    {"weight": 1, "preference": {"matchExpressions": [{"key": "disk", "operator": "Exists"}]}}]}}  # fmt: skip
_FIRST = {"name": "first", "image": "busybox", "command": ["true"]}

# A value that is not the default, for each that has moved.
EXAMPLES: Mapping[str, Any] = {
    "image.imagePullSecrets": ["registry"],
    "deployment.replicaCount": 2,
    "deployment.strategy": {"type": "RollingUpdate"},
    "deployment.port": 9090,
    "deployment.fsGroup": 1000,
    "deployment.resources": {"limits": {"cpu": "1", "memory": "1Gi"}, "requests": {"cpu": "1m", "memory": "1Mi"}},
    "deployment.nodeSelector": {"disk": "ssd"},
    "deployment.tolerations": [{"key": "teaching", "operator": "Exists"}],
    "deployment.affinity": _AFFINITY,
    "deployment.initContainers": [_FIRST],
    "ngshare.admins": ["zoe", "007"],
    "ngshare.hub_api_url": "http://hub.elsewhere:8081/hub/api",
    "ngshare.hub_base_url": "/jupyter/",
    "ngshare.hub_api_token": TOKEN,
    "ngshare.oauth_client_id": "service-exchange",
    "ngshare.debug": True,
    "pvc.storage": "3Gi",
    "pvc.annotations": {"example.org/backup": "daily"},
    "pvc.storageClassName": "fast",
    "pvc.accessModes": ["ReadWriteMany"],
}
MOVED = {old: new for old, new in moved_values((CHART / "templates" / "_old_values.tpl").read_text(encoding="utf-8"))
         if old != "ngshare.env"}  # fmt: skip


def values_at(name: str, value: Any) -> dict[str, Any]:
    for key in reversed(name.split(".")):
        value = {key: value}
    # Two replicas need a volume that is shared, wherever they are asked for.
    if name in ("deployment.replicaCount", "replicas"):
        value |= {"persistence": {"accessModes": ["ReadWriteMany"]}}
    return dict(value)


def test_there_is_an_example_for_each() -> None:
    assert set(MOVED) == set(EXAMPLES)


def test_old_values_mean_the_same_as_the_new_ones() -> None:
    by_old: dict[str, Any] = {}
    by_new: dict[str, Any] = {}
    for old, new in MOVED.items():
        _merge(by_old, values_at(old, EXAMPLES[old]))
        _merge(by_new, values_at(new, EXAMPLES[old]))
    assert Installation.of(by_old).manifests() == Installation.of(by_new).manifests()


def _merge(values: dict[str, Any], more: Mapping[str, Any]) -> None:
    for key, value in more.items():
        if isinstance(value, dict) and isinstance(values.get(key), dict):
            _merge(values[key], value)
        else:
            values[key] = value


@pytest.mark.long
@pytest.mark.parametrize(("old", "new"), MOVED.items(), ids=MOVED.keys())
def test_an_old_value_means_the_same_as_the_new_one(old: str, new: str) -> None:
    by_old, by_new = (Installation.of(values_at(name, EXAMPLES[old])) for name in (old, new))
    assert by_old.manifests() == by_new.manifests()
    assert by_old.manifests() != Installation().manifests()


def test_notes_name_the_new_places() -> None:
    installed = Installation.of({"ngshare": {"admins": ["zoe"]}, "pvc": {"storage": "3Gi"}})
    assert "ngshare.admins is now admins" in installed.notes()
    assert "pvc.storage is now persistence.size" in installed.notes()
    assert "is now" not in Installation().notes()


def test_variables_become_a_list() -> None:
    installed = Installation.of({"ngshare": {"env": {"TZ": "Europe/Vienna", "N": 268435456, "DEBUG": True, "R": 1.5}}})
    (deployment,) = of_kind(installed.manifests(), "Deployment")
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    assert sorted(container["env"], key=str) == [
        {"name": "DEBUG", "value": "true"}, {"name": "N", "value": "268435456"}, {"name": "R", "value": "1.5"},
        {"name": "TZ", "value": "Europe/Vienna"},
    ]  # fmt: skip


# All of what that chart's values.yaml has, as somebody keeps it who has copied the file.
COPIED: Mapping[str, Any] = {
    "image": {"pullPolicy": "IfNotPresent", "imagePullSecrets": []},
    "nameOverride": "",
    "fullnameOverride": "",
    "deployment": {
        "replicaCount": 1, "strategy": {}, "port": 8080, "fsGroup": 1000, "selectorLabels": {}, "nodeSelector": {},
        "resources": {"limits": {"cpu": "100m", "memory": "128Mi"}, "requests": {"cpu": "100m", "memory": "128Mi"}},
        "tolerations": [], "affinity": {}, "initContainers": [],
    },
    "ngshare": {
        "admins": ["zoe"], "hub_api_url": "", "hub_base_url": "", "hub_api_token": TOKEN, "debug": False,
        "upgrade_db": True, "oauth_client_id": "", "env": {}, "args": [],
    },
    "pvc": {"storage": "1Gi", "annotations": {}, "selector": {}, "accessModes": ["ReadWriteMany"]},
}  # fmt: skip


@pytest.mark.parametrize("helm", [3, 4])
def test_a_copy_of_its_values_is_understood(helm: int) -> None:
    installed = Installation.of(COPIED, helm=helm)
    manifests = installed.manifests()
    assert not [str(finding) for finding in check(manifests)]
    (claim,) = of_kind(manifests, "PersistentVolumeClaim")
    assert claim["spec"]["accessModes"] == ["ReadWriteMany"]


@pytest.mark.parametrize(
    ("release", "name"), [("ngshare", "ngshare"), ("my-ngshare", "my-ngshare"), ("uni", "uni-ngshare")]
)
def test_names_and_selector_are_those_of_its_chart(release: str, name: str) -> None:
    """What cannot be changed of a Deployment is the same, or an upgrade would be refused."""
    manifests = Installation(name=release).manifests()
    (deployment,), (service,) = of_kind(manifests, "Deployment"), of_kind(manifests, "Service")
    labels = {"app.kubernetes.io/name": "ngshare", "app.kubernetes.io/instance": release}
    assert deployment["metadata"]["name"] == service["metadata"]["name"] == name
    assert deployment["spec"]["selector"] == {"matchLabels": labels}
    assert service["spec"]["selector"] == labels
    # Its volume and its Secret have these names; ours must not take them over.
    ours = {(each["kind"], each["metadata"]["name"]) for each in manifests}
    assert not ours & {("PersistentVolumeClaim", "ngshare-pvc"), ("Secret", "ngshare-token")}
    # Kubernetes has filled in a `rollingUpdate`, which cannot stay beside `Recreate`.
    assert deployment["spec"]["strategy"] == {"type": "Recreate", "rollingUpdate": None}


def test_no_secret_of_the_release_is_made_without_a_token() -> None:
    assert not of_kind(Installation().manifests(), "Secret")
    assert not [each for each in check(Installation().manifests(), [HUB_SECRET]) if each.code == "object-missing"]
