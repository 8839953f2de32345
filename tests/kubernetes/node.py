"""A node of tools/kubernetes, and namespaces on it, as the tests use them."""

import ctypes
import itertools
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).parents[2]
CHART = REPOSITORY / "helm" / "ngshare-fs"
COMMAND = str(REPOSITORY / "tools" / "kubernetes" / "node")
CLONE_NEWNET = 0x40000000  # of setns(2)
PATIENCE = 120  # seconds
POLL_SECONDS = 0.1
COMMAND_SECONDS = 300
HELM_MAJORS = (4, 3)

_numbers = itertools.count(1)


class CommandFailed(AssertionError):
    """A command ended with an error; the message has what it printed, `printed` only that."""

    def __init__(self, command: Sequence[str], printed: str) -> None:
        """Args:
        command: what was run.
        printed: both its streams.
        """
        super().__init__(f"$ {' '.join(command)}\n{printed}")
        self.printed = printed


def run(
    command: Sequence[str],
    *,
    text: str = "",
    environment: dict[str, str] | None = None,
    both: bool = True,
    seconds: float = COMMAND_SECONDS,
) -> str:
    """Run a command, and return what it printed.

    Args:
        command: its words.
        text: what it reads.
        environment: all its variables, if not ours.
        both: return what it printed as errors, too.
        seconds: how long it may take.

    Raises:
        CommandFailed: it ended with an error.
    """
    done = subprocess.run(
        command,
        input=text,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT if both else subprocess.PIPE,
        env=environment,
        cwd=REPOSITORY,
        encoding="utf-8",
        errors="replace",
        timeout=seconds,
        check=False,
    )
    if done.returncode:
        raise CommandFailed(command, done.stdout + (done.stderr or ""))
    return done.stdout


class Node:
    """A node that runs.

    Attributes:
        folder: of the node.
    """

    def __init__(self, folder: Path) -> None:
        """Args:
        folder: of a node that is up.
        """
        self.folder = folder
        self._process = int((folder / "pid").read_text())
        self._clients = {major: _clients(major) for major in HELM_MAJORS}

    @contextmanager
    def network(self) -> Iterator[None]:
        """Be in the node's network: this thread, and what it starts."""
        with open("/proc/thread-self/ns/net") as own, open(f"/proc/{self._process}/ns/net") as other:
            _set_namespace(other.fileno())
            try:
                yield
            finally:
                _set_namespace(own.fileno())

    def environment(self, helm: int = HELM_MAJORS[0]) -> dict[str, str]:
        """Return the variables for kubectl and that helm; nothing of the machine's own settings is among them."""
        return {
            "PATH": os.pathsep.join([self._clients[helm], os.environ.get("PATH", os.defpath)]),
            "KUBECONFIG": str(self.folder / "kubeconfig"),
            "HOME": str(self.folder / "home"),
        }

    def inside(self, *command: str) -> str:
        """Run a command with the node's processes and mounts, and return what it printed."""
        return run([COMMAND, "inside", "--folder", str(self.folder), *command])

    def load(self, *files: Path) -> None:
        """Load images from files."""
        run([COMMAND, "images", "--folder", str(self.folder), *map(str, files)])


@contextmanager
def running_node(folder: Path) -> Iterator[Node]:
    """Start a node in the folder; it ends with this process at the latest."""
    run([COMMAND, "up", "--folder", str(folder), "--until-end-of", str(os.getpid())])
    try:
        yield Node(folder)
    finally:
        run([COMMAND, "down", "--folder", str(folder)])


@dataclass(frozen=True)
class Release:
    """What `helm` printed, taken apart.

    Args:
        printed: all of it.
        notes: what the chart says to whoever installed it.
    """

    printed: str

    @property
    def notes(self) -> str:
        return self.printed.partition("NOTES:\n")[2]


class Namespace:
    """A namespace of a test's own.

    Attributes:
        name: of the namespace.
    """

    def __init__(self, node: Node) -> None:
        """Make it."""
        self.node = node
        self.name = f"test-{os.getpid()}-{next(_numbers)}"
        self.kubectl("create", "namespace", self.name)
        # Pods are refused until the namespace has its service account.
        self.wait_until(lambda: self.find("serviceaccount", "default"), "the service account", 30)

    def remove(self) -> None:
        """Remove it, without waiting for the time that pods may take to end."""
        self.kubectl("delete", "pods", "--all", "--grace-period=0", "--force", "--wait=false")
        self.kubectl("delete", "namespace", self.name, "--wait=false")

    # Commands

    def kubectl(self, *words: str, text: str = "", both: bool = True) -> str:
        """Run kubectl in this namespace, and return what it printed."""
        return run(["kubectl", "-n", self.name, *words], text=text, environment=self.node.environment(), both=both)

    def helm(self, *words: str, major: int = HELM_MAJORS[0]) -> str:
        """Run helm in this namespace, and return what it printed."""
        return run(["helm", "-n", self.name, *words], environment=self.node.environment(major))

    def install(
        self,
        values: object = None,
        *words: str,
        action: str = "install",
        release: str = "ngshare",
        chart: Path = CHART,
        major: int = HELM_MAJORS[0],
    ) -> Release:
        """Install the chart, without waiting unless told to, or upgrade it.

        Args:
            values: of the chart, beside the image that the tests have built.
            words: further options.
            action: `install` or `upgrade`.
            release: the name of the release.
            chart: another chart.
            major: helm's version.
        """
        file = self.node.folder / "home" / f"{self.name}-values.json"
        file.parent.mkdir(exist_ok=True)
        file.write_text(json.dumps(values or {}))
        return Release(self.helm(action, release, str(chart), "--values", str(file), *words, major=major))

    def apply(self, *objects: object) -> None:
        """Create or change objects."""
        listed = {"apiVersion": "v1", "kind": "List", "items": list(objects)}
        self.kubectl("apply", "-f", "-", text=json.dumps(listed))

    def execute(self, pod: str, *command: str) -> str:
        """Run a command in a pod, and return what it printed."""
        return self.kubectl("exec", pod, "--", *command)

    # What is there

    def get(self, kind: str, *words: str) -> Any:
        """Return an object, or a list of them."""
        return json.loads(self.kubectl("get", kind, *words, "-o", "json", both=False))

    def find(self, kind: str, name: str) -> Any:
        """Return an object, or None."""
        found = self.kubectl("get", kind, name, "-o", "json", "--ignore-not-found", both=False)
        return json.loads(found) if found else None

    def names(self, kind: str) -> set[str]:
        """Return the names of all objects of a kind."""
        return {str(one["metadata"]["name"]) for one in self.get(kind)["items"]}

    def pods(self, labels: str = "app.kubernetes.io/name=ngshare") -> list[dict[str, Any]]:
        """Return the pods that are not ending."""
        found: list[dict[str, Any]] = self.get("pods", "-l", labels)["items"]
        return [pod for pod in found if "deletionTimestamp" not in pod["metadata"]]

    def pod(self, labels: str = "app.kubernetes.io/name=ngshare") -> str:
        """Return the name of the one pod."""
        (pod,) = self.pods(labels)
        return str(pod["metadata"]["name"])

    def address(self, service: str = "ngshare") -> str:
        """Return the address of a Service."""
        return str(self.get("service", service)["spec"]["clusterIP"])

    def volume(self, claim: str = "ngshare-data") -> Path:
        """Return the folder of a claim's volume."""
        return self.node.folder / "volumes" / str(self.get("pvc", claim)["spec"]["volumeName"])

    def process(self, pod: str) -> str:
        """Return the number of the process 1 of a pod's container `ngshare`, as the node sees it."""
        (container,) = self.get("pod", pod)["status"]["containerStatuses"]
        task = container["containerID"].removeprefix("containerd://")
        for line in self.node.inside("ctr", "-n", "k8s.io", "tasks", "list").splitlines():
            if line.startswith(task):
                return line.split()[1]
        raise AssertionError(f"{pod} has no process")

    # Waiting

    def wait_until(self, holds: Callable[[], object], what: str, seconds: float = PATIENCE) -> float:
        """Wait until something holds, and return how many seconds that took.

        Raises:
            AssertionError: it did not in time; the message has what kubectl shows.
        """
        began = time.monotonic()
        while not holds():
            if time.monotonic() > began + seconds:
                raise AssertionError(f"within {seconds:.0f} s did not happen: {what}\n{self.what_is_seen()}")
            time.sleep(POLL_SECONDS)
        return time.monotonic() - began

    def wait_until_rolled_out(self, deployment: str = "ngshare", seconds: float = PATIENCE) -> float:
        """Wait until all pods of a Deployment are new and ready; return the seconds.

        Raises:
            AssertionError: they are not in time.
        """
        began = time.monotonic()
        try:
            self.kubectl("rollout", "status", f"deployment/{deployment}", f"--timeout={seconds:.0f}s")
        except CommandFailed as failure:
            raise AssertionError(f"{failure}\n{self.what_is_seen()}") from None
        return time.monotonic() - began

    def show(self, title: str, *commands: str) -> str:
        """Print what kubectl shows, of descriptions only the events, and return it; the docs have it from here."""
        parts = []
        for command in commands:
            try:
                printed = self.kubectl(*command.split())
            except CommandFailed as failure:
                printed = failure.printed
            before, line, events = printed.partition("Events:\n")
            parts.append(f"$ kubectl {command}\n" + (f"…\n{line}{events}" if events else before))
        shown = "\n".join(parts)
        print(f"\n## {title}\n\n{shown}")
        return shown

    def what_is_seen(self) -> str:
        """Return what an administrator would look at."""
        parts = []
        for words in (
            ("get", "pods,pvc,deployments", "-o", "wide"),
            ("get", "events", "--sort-by=.lastTimestamp"),
            ("logs", "-l", "app.kubernetes.io/name=ngshare", "--tail=20"),
        ):
            try:
                parts.append(f"$ kubectl {' '.join(words)}\n{self.kubectl(*words)}")
            except CommandFailed as failure:
                parts.append(str(failure))
        return "\n".join(parts)


def merged(*layers: dict[str, Any]) -> dict[str, Any]:
    """Return values with others over them, as helm merges them."""
    result: dict[str, Any] = {}
    for layer in layers:
        for key, value in layer.items():
            both = isinstance(value, dict) and isinstance(result.get(key), dict)
            result[key] = merged(result[key], value) if both else value
    return result


def _clients(major: int) -> str:
    return run([sys.executable, str(REPOSITORY / "tools" / "helm.py"), str(major)], both=False).strip()


def _set_namespace(descriptor: int) -> None:
    if ctypes.CDLL(None, use_errno=True).setns(descriptor, CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), "setns")
