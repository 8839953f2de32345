"""`examples/kubernetes/move-in.yaml`: its pod has the server's volume, and the same folder of it."""

from collections.abc import Mapping
from typing import Any

import pytest
import yaml

from tests.chart.manifests import Manifest
from tests.chart.pod_security import check_pod_security
from tests.chart.references import check_mounts
from tests.chart.rendering import Installation, Values
from tests.chart.schemas import check_schemas
from tools.helm import REPOSITORY

EXAMPLE = (REPOSITORY / "examples/kubernetes/move-in.yaml").read_text(encoding="utf-8")
# As docs/kubernetes.md says where both are to stay on the old claim.
ON_THE_OLD_CLAIM = EXAMPLE.replace("# subPath: exchange", "subPath: exchange").replace("ngshare-data", "ngshare-pvc")


def pod_of(text: str) -> Manifest:
    pod: Manifest = yaml.safe_load(text)
    return pod


def server_with(values: Values) -> Mapping[str, Any]:
    """What the chart makes of the server's pods."""
    manifests = Installation.of(values).manifests()
    [deployment] = [manifest for manifest in manifests if manifest["kind"] == "Deployment"]
    pod: Mapping[str, Any] = deployment["spec"]["template"]["spec"]
    return pod


def place_of_data(pod: Mapping[str, Any]) -> tuple[str, str, str | None]:
    """The claim that has the exchange, where it is mounted, and which folder of it."""
    [mount] = [mount for mount in pod["containers"][0]["volumeMounts"] if mount["name"] == "data"]
    [volume] = [volume for volume in pod["volumes"] if volume["name"] == "data"]
    return volume["persistentVolumeClaim"]["claimName"], mount["mountPath"], mount.get("subPath")


@pytest.mark.parametrize("text", [EXAMPLE, ON_THE_OLD_CLAIM], ids=["two claims", "one claim"])
def test_kubernetes_takes_it(text: str) -> None:
    pods = [pod_of(text)]
    assert [*check_schemas(pods), *check_mounts(pods), *check_pod_security(pods)] == []


@pytest.mark.parametrize(
    ("text", "values", "place"),
    [
        (EXAMPLE, {"admins": ["a"]}, ("ngshare-data", "/srv/ngshare", None)),
        (
            ON_THE_OLD_CLAIM,
            {"admins": ["a"], "persistence": {"existingClaim": "ngshare-pvc", "subPath": "exchange"}},
            ("ngshare-pvc", "/srv/ngshare", "exchange"),
        ),
    ],
    ids=["two claims", "one claim"],
)
def test_it_writes_where_the_server_reads_and_as_the_same_user(
    text: str, values: Values, place: tuple[str, str, str | None]
) -> None:
    pod, server = pod_of(text)["spec"], server_with(values)
    assert place_of_data(pod) == place_of_data(server) == place
    assert pod["securityContext"] == server["securityContext"]
    assert pod["containers"][0]["securityContext"] == server["containers"][0]["securityContext"]
    [old] = [mount for mount in pod["containers"][0]["volumeMounts"] if mount["name"] == "old"]
    assert old["readOnly"] is True


def test_all_of_the_servers_containers_are_in_that_folder() -> None:
    server = server_with({"admins": ["a"], "persistence": {"existingClaim": "x", "subPath": "a/b c"}})
    containers = [*server["containers"], *server.get("initContainers", [])]
    mounts = [mount for each in containers for mount in each["volumeMounts"] if mount["name"] == "data"]
    assert mounts
    assert {mount["subPath"] for mount in mounts} == {"a/b c"}
