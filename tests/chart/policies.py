"""NetworkPolicies: who reaches whom.

A connection needs two permissions: the sender's policies have to let it out, the receiver's have to let it in. A pod
that no policy of a direction selects is open in that direction; where one selects it, only what a rule names passes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import ip_address, ip_network
from typing import Any

from tests.chart.manifests import Manifest
from tests.chart.selectors import matches

Rule = Mapping[str, Any]


@dataclass(frozen=True)
class Port:
    """Where something listens, and the name that its container gives the port."""

    number: int
    protocol: str = "TCP"
    name: str = ""


@dataclass(frozen=True)
class Endpoint:
    """One end of a connection: a pod, or what lies outside the cluster.

    Args:
        address: an IP address.
        labels: of the pod; None for what is no pod.
        namespace: of the pod.
        ports: where it listens.
    """

    address: str
    labels: Mapping[str, str] | None = None
    namespace: str = ""
    ports: tuple[Port, ...] = ()


@dataclass(frozen=True)
class Network:
    """The policies of a cluster, and how its network reads them.

    Args:
        policies: objects; those without a namespace are in `namespace`.
        namespace: where the release is.
        namespaces: the labels of each namespace, the one with its name left out, which every namespace has.
        blocks_match_pods: an `ipBlock` covers the addresses of pods, too. Kubernetes leaves that open: so it is with
            Calico, and not with Cilium.
    """

    policies: Sequence[Manifest]
    namespace: str
    namespaces: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    blocks_match_pods: bool = True

    def connects(self, source: Endpoint, target: Endpoint, port: Port) -> bool:
        """Whether a connection from `source` to that port of `target` comes about."""
        return self.lets_out(source, target, port) and self.lets_in(source, target, port)

    def lets_in(self, source: Endpoint, target: Endpoint, port: Port) -> bool:
        """Whether the receiver's policies have nothing against it."""
        return self._allowed("Ingress", target, source, target, port)

    def lets_out(self, source: Endpoint, target: Endpoint, port: Port) -> bool:
        """Whether the sender's policies have nothing against it."""
        return self._allowed("Egress", source, target, target, port)

    def _allowed(self, direction: str, subject: Endpoint, peer: Endpoint, listener: Endpoint, port: Port) -> bool:
        concerned = [policy for policy in self.policies if self._concerns(policy, direction, subject)]
        if not concerned:
            return True
        side = "from" if direction == "Ingress" else "to"
        for policy in concerned:
            for rule in policy["spec"].get(direction.lower()) or []:
                peers, ports = rule.get(side) or [], rule.get("ports") or []
                if (not peers or any(self._is(each, policy, peer) for each in peers)) and (
                    not ports or any(_covers(each, listener, port) for each in ports)
                ):
                    return True
        return False

    def _namespace_of(self, policy: Manifest) -> str:
        return str(policy["metadata"].get("namespace", self.namespace))

    def _concerns(self, policy: Manifest, direction: str, subject: Endpoint) -> bool:
        spec = policy["spec"]
        # Where it is not said, a policy is about what comes in, and about what goes out if it has rules for that.
        types = spec.get("policyTypes") or ["Ingress", *(["Egress"] if spec.get("egress") else [])]
        return (
            subject.labels is not None
            and direction in types
            and self._namespace_of(policy) == subject.namespace
            and matches(spec.get("podSelector") or {}, subject.labels)
        )

    def _is(self, peer: Rule, policy: Manifest, end: Endpoint) -> bool:
        if "ipBlock" in peer:
            block = peer["ipBlock"]
            if end.labels is not None and not self.blocks_match_pods:
                return False
            return _within(end.address, block["cidr"]) and not any(
                _within(end.address, each) for each in block.get("except") or []
            )
        if end.labels is None:
            return False
        if "namespaceSelector" in peer:
            labels = {"kubernetes.io/metadata.name": end.namespace, **self.namespaces.get(end.namespace, {})}
            here = matches(peer["namespaceSelector"], labels)
        else:
            here = end.namespace == self._namespace_of(policy)
        return here and ("podSelector" not in peer or matches(peer["podSelector"], end.labels))


def _within(address: str, block: str) -> bool:
    found, wanted = ip_address(address), ip_network(block)
    return found.version == wanted.version and found in wanted


def _covers(rule: Rule, listener: Endpoint, port: Port) -> bool:
    if rule.get("protocol", "TCP") != port.protocol:
        return False
    wanted = rule.get("port")
    if wanted is None:
        return True
    if isinstance(wanted, str):
        # A name means the port of that name of the pod that is connected to; outside the cluster there are none.
        return any(
            (each.name, each.number, each.protocol) == (wanted, port.number, port.protocol) for each in listener.ports
        )
    return bool(wanted <= port.number <= rule.get("endPort", wanted))
