"""What an administrator sees where something is wrong, and that it gets well by itself once it is put right."""

import json

import pytest

from tests.kubernetes.exchange import STANDALONE, exchange_in
from tests.kubernetes.node import CommandFailed, Namespace, merged

TOKEN_KEY = "hub.services.ngshare.apiToken"
IMAGE = {"image": STANDALONE["image"]}


def events(namespace: Namespace) -> str:
    """Return all that Kubernetes has said of this namespace's objects."""
    return json.dumps([event["message"] for event in namespace.get("events")["items"]])


def test_a_volume_that_nobody_provides(namespace: Namespace) -> None:
    namespace.install(merged(STANDALONE, {"persistence": {"storageClass": "fast"}}))
    namespace.wait_until(
        lambda: 'storageclass.storage.k8s.io \\"fast\\" not found' in events(namespace), "an event says so"
    )
    namespace.wait_until(lambda: "unbound immediate PersistentVolumeClaims" in events(namespace), "of the pod, too")
    shown = namespace.show(
        "The storage class does not exist", "get pods,pvc", "describe pvc ngshare-data", "describe pod"
    )
    assert "Pending" in shown


def test_the_token_comes_after_the_pod(namespace: Namespace) -> None:
    release = namespace.install({**IMAGE, "admins": ["root"]})
    assert f"until the Secret hub has the key {TOKEN_KEY}" in " ".join(release.notes.split())
    namespace.wait_until(lambda: 'secret \\"hub\\" not found' in events(namespace), "an event names the Secret")
    namespace.show("The hub's Secret is missing", "get pods", "describe pod")
    namespace.apply(secret_of_hub({"hub.config.JupyterHub.cookie_secret": "x"}))
    namespace.wait_until(lambda: "non-existent secret key" in events(namespace), "an event names the key", 150)
    namespace.show("The hub's Secret has no token for the exchange", "get pods", "describe pod")
    namespace.apply(secret_of_hub({TOKEN_KEY: "a" * 64}))
    took = namespace.wait_until_rolled_out(seconds=200)
    print(f"the pod was ready {took:.1f} s after the token was there")


def test_a_configuration_that_is_refused(namespace: Namespace) -> None:
    namespace.install(merged(STANDALONE, {"config": {"max-request": "much"}}))

    def crashes() -> bool:
        return any(
            container.get("state", {}).get("waiting", {}).get("reason") == "CrashLoopBackOff"
            for pod in namespace.pods()
            for container in pod["status"].get("containerStatuses", [])
        )

    namespace.wait_until(crashes, "the pod is in CrashLoopBackOff")
    shown = namespace.show("A value that the server refuses", "get pods", "logs deployment/ngshare")
    assert "max-request" in shown
    assert "Traceback" not in shown
    # Put right, it starts without waiting for the end of the back-off.
    namespace.install(STANDALONE, "--wait", "--timeout", "1m", action="upgrade")
    exchange_in(namespace).make_course()


def test_a_volume_of_something_else(namespace: Namespace) -> None:
    namespace.install(STANDALONE, "--wait", "--timeout", "2m")
    folder = namespace.volume()
    namespace.kubectl("scale", "deployment/ngshare", "--replicas=0")
    namespace.wait_until(lambda: not namespace.get("pods")["items"], "the pod ends")
    for entry in folder.iterdir():
        entry.rename(folder.parent / f"{folder.name}-{entry.name}")
    (folder / "ngshare.db").write_text("SQLite format 3")
    namespace.kubectl("scale", "deployment/ngshare", "--replicas=1")

    def log() -> str:
        try:
            return namespace.kubectl("logs", "deployment/ngshare")
        except CommandFailed:
            return ""

    namespace.wait_until(lambda: "ngshare.db" in log(), "the log says what is there")
    print(f"\n## The volume is something else\n\n{log()}")
    assert "Traceback" not in log()


def test_an_image_that_is_nowhere(namespace: Namespace) -> None:
    namespace.install(merged(STANDALONE, {"image": {"tag": "9.9.9"}}))
    namespace.wait_until(
        lambda: "9.9.9" in events(namespace) and "Failed to pull" in events(namespace), "an event says so"
    )
    namespace.show("The image is not there", "get pods", "describe pod")


def test_a_volume_that_cannot_be_written(namespace: Namespace) -> None:
    values = {"podSecurityContext": {"fsGroup": None, "fsGroupChangePolicy": None}}
    namespace.install(merged(STANDALONE, values))
    namespace.wait_until(
        lambda: "probe failed" in events(namespace) or "Back-off" in events(namespace), "an event says so"
    )
    shown = namespace.show(
        "The volume belongs to root, and fsGroup is off",
        "get pods",
        "describe pod",
        "logs deployment/ngshare",
    )
    assert "Traceback" not in shown
    namespace.install(STANDALONE, "--wait", "--timeout", "2m", action="upgrade")
    exchange_in(namespace).make_course()


def test_the_doctor_says_that_the_hub_is_missing(namespace: Namespace) -> None:
    namespace.apply(secret_of_hub({TOKEN_KEY: "a" * 64}))
    namespace.install({**IMAGE, "admins": ["root"]}, "--wait", "--timeout", "2m")
    with pytest.raises(CommandFailed) as failed:
        namespace.helm("test", "ngshare", "--logs", "--timeout", "1m")
    print(failed.value.printed)
    assert "hub" in failed.value.printed


def secret_of_hub(contents: dict[str, str]) -> dict[str, object]:
    """Return the Secret that the hub's chart makes."""
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "hub"}, "stringData": contents}
