"""What runs beside the release: a JupyterHub of zero-to-jupyterhub's chart (z2jh), DNS, monitoring, the outside.

Labels, ports and policies are those that z2jh renders. Versions 3 and 4 label their pods in the old way alone,
version 5 in both ways. Note that users' pods carry `network-access-hub`, too: who admits by it admits them.
"""

from collections.abc import Mapping
from typing import Any

from tests.chart.manifests import Manifest, PodTemplate, parse
from tests.chart.policies import Endpoint, Port

HUB_PORT = Port(8081, name="http")
PROXY_PORT = Port(8000, name="http")
SERVER_PORT = Port(8080, name="http")
NOTEBOOK_PORT = Port(8888, name="notebook-port")
DNS_PORTS = (Port(53, "UDP", "dns"), Port(53, "TCP", "dns-tcp"))
HTTPS = Port(443)
KUBERNETES_API = Port(6443)
PUBLIC_ADDRESS = Endpoint("203.0.113.7")
METADATA_SERVER = Endpoint("169.254.169.254")
NODE = Endpoint("192.168.1.10")

ACCESS = "hub.jupyter.org/network-access-"


def _labels(component: str, modern: bool) -> dict[str, str]:
    labels = {"app": "jupyterhub", "release": "jhub", "component": component}
    if modern:
        labels |= {f"app.kubernetes.io/{key}": value for key, value in
                   (("name", "jupyterhub"), ("instance", "jhub"), ("component", component))}  # fmt: skip
    return labels


def hub(namespace: str, modern: bool = True) -> Endpoint:
    """The hub's pod."""
    access = {f"{ACCESS}{what}": "true" for what in ("proxy-api", "proxy-http", "singleuser")}
    return Endpoint("10.244.0.10", _labels("hub", modern) | access, namespace, (HUB_PORT,))


def proxy(namespace: str, modern: bool = True) -> Endpoint:
    """The pod of configurable-http-proxy, through which users reach the server."""
    access = {f"{ACCESS}{what}": "true" for what in ("hub", "singleuser")}
    return Endpoint("10.244.0.11", _labels("proxy", modern) | access, namespace, (PROXY_PORT,))


def notebook(namespace: str, modern: bool = True) -> Endpoint:
    """A user's pod."""
    labels = _labels("singleuser-server", modern) | {"heritage": "jupyterhub", "hub.jupyter.org/username": "zoe"}
    access = {f"{ACCESS}{what}": "true" for what in ("hub", "proxy-http")}
    return Endpoint("10.244.0.12", labels | access, namespace, (NOTEBOOK_PORT,))


def dns() -> Endpoint:
    """The cluster's own DNS."""
    return Endpoint("10.244.0.2", {"k8s-app": "kube-dns"}, "kube-system", DNS_PORTS)


def prometheus() -> Endpoint:
    """What collects metrics, in a namespace of its own."""
    return Endpoint("10.244.0.20", {"app.kubernetes.io/name": "prometheus"}, "monitoring")


def stranger(namespace: str) -> Endpoint:
    """A pod of somebody else."""
    return Endpoint("10.244.0.21", {"app": "somebody-else"}, namespace)


def pod(template: PodTemplate, namespace: str) -> Endpoint:
    """A pod of the release."""
    ports = tuple(
        Port(port["containerPort"], port.get("protocol", "TCP"), port.get("name", "")) for port in template.ports
    )
    return Endpoint("10.244.0.30", template.labels, namespace, ports)


_POLICIES = """
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: hub}
spec:
  podSelector: {matchLabels: {app: jupyterhub, release: jhub, component: hub}}
  policyTypes: [Ingress, Egress]
  ingress:
    - from: [{podSelector: {matchLabels: {hub.jupyter.org/network-access-hub: "true"}}}]
      ports: [{port: http}]
  egress: [{to: [{ipBlock: {cidr: 0.0.0.0/0}}]}]
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: proxy}
spec:
  podSelector: {matchLabels: {app: jupyterhub, release: jhub, component: proxy}}
  policyTypes: [Ingress, Egress]
  ingress:
    - ports: [{port: http}, {port: https}]
    - from: [{podSelector: {matchLabels: {hub.jupyter.org/network-access-proxy-http: "true"}}}]
      ports: [{port: http}]
  egress:
    - to: [{podSelector: {matchLabels: {app: jupyterhub, release: jhub, component: hub}}}]
      ports: [{port: 8081}]
    - to: [{ipBlock: {cidr: 0.0.0.0/0}}]
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: singleuser}
spec:
  podSelector: {matchLabels: {app: jupyterhub, release: jhub, component: singleuser-server}}
  policyTypes: [Ingress, Egress]
  ingress:
    - from: [{podSelector: {matchLabels: {hub.jupyter.org/network-access-singleuser: "true"}}}]
      ports: [{port: notebook-port}]
  egress:
    - to: [{podSelector: {matchLabels: {app: jupyterhub, release: jhub, component: hub}}}]
      ports: [{port: 8081}]
    - to: [{podSelector: {matchLabels: {app: jupyterhub, release: jhub, component: proxy}}}]
      ports: [{port: 8000}]
    - to: [{ipBlock: {cidr: 10.0.0.0/8}}, {ipBlock: {cidr: 172.16.0.0/12}}, {ipBlock: {cidr: 192.168.0.0/16}}]
      ports: [{port: 53, protocol: UDP}, {port: 53, protocol: TCP}]
    - to:
        - ipBlock:
            cidr: 0.0.0.0/0
            except: [10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16, 169.254.169.254/32]
"""


def policies(namespace: str) -> list[Manifest]:
    """The policies that z2jh makes where nothing is said."""
    found = parse(_POLICIES)
    for policy in found:
        policy["metadata"]["namespace"] = namespace
    return found


def secret(keys: Mapping[str, Any]) -> Manifest:
    """The hub's Secret, with the tokens of its services."""
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "hub"}, "stringData": dict(keys)}
