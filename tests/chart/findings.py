"""What can be wrong with manifests, in one table; `faults.py` has a way to cause each."""

from collections.abc import Mapping
from dataclasses import dataclass

DEFECTS: Mapping[str, str] = {
    # What an API server says of one object
    "schema": "this version of Kubernetes does not take it",
    "value-missing": "a key has no value: a condition in the template does not cover it",
    "name-invalid": "the name is not one that Kubernetes takes",
    "name-used-twice": "two objects, or two parts of one object, have the same name",
    "label-invalid": "a label's key or value is not one that Kubernetes takes",
    "port-name-invalid": "the port's name has more than 15 characters, or others than a-z, 0-9 and -",
    "access-mode-unknown": "there is no such access mode",
    "quantity-invalid": "this is not a quantity",
    "request-above-limit": "more is requested than the limit allows",
    # What fits together
    "selector-does-not-match": "the selector does not match the labels of its own template",
    "selects-nothing": "no pod of this release matches the selector",
    "selects-test-pod": "the selector matches the pod of `helm test`, which is no server",
    "probe-port-missing": "the container has no such port",
    "service-port-missing": "the pods behind the Service have no such port",
    "policy-port-missing": "the pods that the policy is for have no such port",
    "protocol-missing": "helm 4's server-side apply fails on older API servers where a port has no protocol",
    "mount-without-volume": "a volume is mounted that the pod does not have",
    "volume-not-mounted": "no container mounts the volume",
    "mounted-twice": "two volumes are mounted at the same path",
    "object-missing": "it is neither in this release nor known to come from outside",
    "key-missing": "the object has no such key",
    # What runs well
    "volume-shared-by-replicas": "several pods write to a volume that one node alone can mount",
    "update-waits-for-volume": "the new pod waits for the volume that the old one holds: the strategy must be Recreate",
    "disruption-budget-blocks": "no pod may ever be evicted, so that nodes cannot be drained",
    "killed-while-draining": "the pod is killed before the server has finished what it drains",
    "secret-shown": "a secret is readable outside a Secret",
    # Pod Security: the profile `restricted`, and what goes beyond it
    "host-namespace": "the pod shares a namespace of the node",
    "host-process": "a HostProcess container",
    "host-port": "the container takes a port of the node",
    "host-of-handler": "a probe or hook names a host",
    "privileged": "a privileged container",
    "capability-added": "a capability is added",
    "capabilities-kept": "not all capabilities are dropped",
    "escalation-allowed": "the process may gain privileges",
    "may-run-as-root": "nothing forbids to run as root",
    "runs-as-root": "it runs as root",
    "volume-type": "a volume of this type is not allowed",
    "apparmor": "AppArmor is switched off",
    "selinux": "SELinux is told to use another type, user or role",
    "proc-mount": "/proc is not masked",
    "seccomp": "no seccomp profile, or none worth the name",
    "sysctl": "a sysctl that concerns the whole node",
    "root-writable": "the container may write to its root file system",
    "api-token-mounted": "the pod is given a token for the Kubernetes API, which it does not use",
    "service-links": "the pod is given variables that are named after Services",
}


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong.

    Args:
        code: a key of `DEFECTS`.
        where: the object, and the part of it, such as `Deployment/ngshare containers/ngshare`.
        detail: what is known of this case.
    """

    code: str
    where: str
    detail: str = ""

    def __post_init__(self) -> None:
        assert self.code in DEFECTS, self.code

    def __str__(self) -> str:
        return f"{self.code} {self.where}: {DEFECTS[self.code]}{f' ({self.detail})' if self.detail else ''}"
