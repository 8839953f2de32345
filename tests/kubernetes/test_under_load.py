"""Pods are replaced, killed, hang and run out of memory while students hand in."""

import json
import signal
import time
from contextlib import suppress

from tests.kubernetes.exchange import STANDALONE, exchange_in, rush
from tests.kubernetes.node import CommandFailed, Namespace, merged

# The kernel ends whoever has the most, unless told whom it should end first.
TAKES_ALL_MEMORY = """
open("/proc/1/oom_score_adj", "w").write("1000")
hoard = [b"x" * (1 << 20) for _ in range(4096)]
"""
SHARED = {"replicas": 2, "persistence": {"accessModes": ["ReadWriteMany"]}}


def test_a_rollout_of_two_replicas_loses_no_request(namespace: Namespace) -> None:
    namespace.install(merged(STANDALONE, SHARED), "--wait", "--timeout", "2m")
    exchange = exchange_in(namespace)
    exchange.make_course()
    before = {pod["metadata"]["name"] for pod in namespace.pods()}
    with rush(exchange) as seen:
        seen.wait_for_more(namespace, 100)
        namespace.kubectl("rollout", "restart", "deployment/ngshare")
        took = namespace.wait_until_rolled_out()
        namespace.wait_until(lambda: before.isdisjoint(namespace.names("pods")), "the old pods have ended")
        seen.wait_for_more(namespace, 50)
    print(f"a rollout in {took:.1f} s: {seen}")
    assert seen.lost == []
    seen.expect_kept(exchange, namespace.volume())


def test_a_pod_that_is_killed_loses_nothing_that_was_acknowledged(namespace: Namespace) -> None:
    namespace.install(STANDALONE, "--wait", "--timeout", "2m")
    exchange = exchange_in(namespace)
    exchange.make_course()
    with rush(exchange) as seen:
        for _ in range(2):
            seen.wait_for_more(namespace, 50)
            began = time.monotonic()
            namespace.kubectl("delete", "pod", namespace.pod(), "--grace-period=0", "--force")
            seen.wait_for_more(namespace, 5)
            print(f"killed by the API, served again after {time.monotonic() - began:.1f} s")
        seen.wait_for_more(namespace, 50)
        began = time.monotonic()
        namespace.node.inside("kill", "-9", namespace.process(namespace.pod()))
        seen.wait_for_more(namespace, 5)
        print(f"process killed, served again after {time.monotonic() - began:.1f} s")
    print(f"{seen}")
    seen.expect_kept(exchange, namespace.volume())
    assert namespace.execute(namespace.pod(), "ngshare-fs", "verify", "--data", "/srv/ngshare")


def test_an_evicted_pod_comes_back(namespace: Namespace) -> None:
    namespace.install(STANDALONE, "--wait", "--timeout", "2m")
    exchange = exchange_in(namespace)
    exchange.make_course()
    pod = namespace.pod()
    with rush(exchange) as seen:
        seen.wait_for_more(namespace, 50)
        eviction = {
            "apiVersion": "policy/v1beta1",
            "kind": "Eviction",
            "metadata": {"name": pod, "namespace": namespace.name},
        }
        path = f"/api/v1/namespaces/{namespace.name}/pods/{pod}/eviction"
        namespace.kubectl("create", "--raw", path, "-f", "-", text=json.dumps(eviction))
        namespace.wait_until(lambda: namespace.pods() and namespace.pod() != pod, "a new pod")
        namespace.wait_until_rolled_out()
        seen.wait_for_more(namespace, 20)
    print(f"{seen}")
    seen.expect_kept(exchange, namespace.volume())


def test_a_server_that_hangs_is_started_anew(namespace: Namespace) -> None:
    values = {
        # From Kubernetes 1.22 on the probe has a time of its own; on this one it is the pod's.
        "config": {"drain-seconds": 3},
        "terminationGracePeriodSeconds": 15,
    }
    namespace.install(merged(STANDALONE, values), "--wait", "--timeout", "2m")
    exchange = exchange_in(namespace)
    exchange.make_course()
    first = exchange.submit("before")
    pod = namespace.pod()
    process = int(namespace.process(pod))
    namespace.node.inside("kill", f"-{signal.SIGSTOP.value}", str(process))

    def seen(reason: str) -> bool:
        events = namespace.get("events", "--field-selector", f"involvedObject.name={pod}")["items"]
        return any(event["reason"] == reason for event in events)

    noticed = namespace.wait_until(lambda: seen("Unhealthy"), "the liveness probe notices")
    killed = noticed + namespace.wait_until(lambda: seen("Killing"), "the container is killed")

    def restarted() -> bool:
        (container,) = namespace.get("pod", pod)["status"]["containerStatuses"]
        return bool(container["restartCount"] == 1 and container["ready"])

    served = killed + namespace.wait_until(restarted, "the container is started anew")
    namespace.show("The server hung", "get pods", f"describe pod {pod}")
    print(f"hangs: noticed after {noticed:.1f} s, given up after {killed:.1f} s, served again after {served:.1f} s")
    assert served < 75
    assert exchange.submitted() == [first]


def test_a_server_out_of_memory_comes_back(namespace: Namespace) -> None:
    # With requests as high as its limits, nothing of the pod is marked as the one to be ended first.
    resources = {"cpu": "500m", "memory": "128Mi"}
    values = {"resources": {"requests": resources, "limits": resources}}
    namespace.install(merged(STANDALONE, values), "--wait", "--timeout", "2m")
    exchange = exchange_in(namespace)
    exchange.make_course()
    pod = namespace.pod()
    with rush(exchange) as seen:
        seen.wait_for_more(namespace, 20)
        with suppress(CommandFailed):
            namespace.execute(pod, "python3", "-c", TAKES_ALL_MEMORY)

        def killed_for() -> str:
            (container,) = namespace.get("pod", pod)["status"]["containerStatuses"]
            return str(container["lastState"].get("terminated", {}).get("reason"))

        namespace.wait_until(lambda: killed_for() == "OOMKilled", "the server is killed for its memory")
        last = "-o=jsonpath={.status.containerStatuses[0].lastState}"
        namespace.show("The server was out of memory", "get pods", f"get pod {pod} {last}", f"describe pod {pod}")
        seen.wait_for_more(namespace, 20)
    print(f"out of memory: {seen}")
    seen.expect_kept(exchange, namespace.volume())
