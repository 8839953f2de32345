"""Ports: who is asked or addressed at a port listens there."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tests.chart.findings import Finding
from tests.chart.manifests import Manifest, PodTemplate, name_of, of_kind, pod_templates
from tests.chart.selectors import matches

_PROBES = ("startupProbe", "livenessProbe", "readinessProbe")
_HOOKS = ("postStart", "preStop")


def handlers(container: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """What the kubelet asks of a container: its probes and hooks, with the name of each."""
    for name in _PROBES:
        if container.get(name):
            yield name, container[name]
    for name in _HOOKS:
        hook = (container.get("lifecycle") or {}).get(name)
        if hook:
            yield name, hook


def check_probes(manifests: Sequence[Manifest]) -> Iterator[Finding]:
    """Every port that is asked is one that the same container has: no API server looks at this."""
    for template in pod_templates(manifests):
        for where, container in template.containers:
            ports = container.get("ports") or []
            known = {port.get("name") for port in ports} | {port.get("containerPort") for port in ports}
            for name, handler in handlers(container):
                for kind in ("httpGet", "tcpSocket", "grpc"):
                    port = (handler.get(kind) or {}).get("port")
                    if kind in handler and port not in known:
                        yield Finding("probe-port-missing", f"{where} {name}", repr(port))


def check_service_ports(manifests: Sequence[Manifest]) -> Iterator[Finding]:
    """A Service leads to a port that its pods have."""
    templates = list(pod_templates(manifests))
    for service in of_kind(manifests, "Service"):
        spec = service.get("spec") or {}
        behind = [each for each in templates if matches({"matchLabels": spec.get("selector") or {}}, each.labels)]
        for port in spec.get("ports") or []:
            wanted = port.get("targetPort", port.get("port"))
            for template in behind:
                if not template.has_port(wanted):
                    yield Finding("service-port-missing", name_of(service), f"{wanted!r} in {template.owner}")


def check_policy_ports(manifests: Sequence[Manifest]) -> Iterator[Finding]:
    """A policy lets in to ports that its pods have."""
    templates = [template for template in pod_templates(manifests) if not template.is_test]
    for policy in of_kind(manifests, "NetworkPolicy"):
        spec = policy.get("spec") or {}
        for_pods = [template for template in templates if matches(spec.get("podSelector"), template.labels)]
        for rule in spec.get("ingress") or []:
            for port in rule.get("ports") or []:
                if for_pods and "port" in port and not any(_may_serve(each, port) for each in for_pods):
                    yield Finding("policy-port-missing", name_of(policy), repr(port["port"]))


def _may_serve(template: PodTemplate, port: Mapping[str, Any]) -> bool:
    return template.has_port(port["port"])


def check_protocols(manifests: Sequence[Manifest]) -> Iterator[Finding]:
    """Every port says its protocol."""
    for template in pod_templates(manifests):
        for where, container in template.containers:
            yield from _protocols(where, container.get("ports") or [])
    for service in of_kind(manifests, "Service"):
        yield from _protocols(name_of(service), (service.get("spec") or {}).get("ports") or [])
    for policy in of_kind(manifests, "NetworkPolicy"):
        for direction in ("ingress", "egress"):
            for rule in (policy.get("spec") or {}).get(direction) or []:
                yield from _protocols(f"{name_of(policy)} {direction}", rule.get("ports") or [])


def _protocols(where: str, ports: Sequence[Mapping[str, Any]]) -> Iterator[Finding]:
    for port in ports:
        if port.get("protocol") not in ("TCP", "UDP", "SCTP"):
            yield Finding("protocol-missing", where, str(dict(port)))
