"""A real JupyterHub in pods, in the shape that the hub's own chart gives it: names, labels, Secret and values."""

import base64
import hashlib
import json
import secrets
import urllib.error
import urllib.request
from functools import partial
from pathlib import Path
from typing import Any

import yaml

from tests.kubernetes import images
from tests.kubernetes.node import Namespace, merged

LABELS = {"app": "jupyterhub", "release": "jupyterhub"}
CONFIGURATION = Path(__file__).with_name("jupyterhub_config.py")
TOKEN_KEY = "hub.services.{}.apiToken"
# Makes users, starts their servers and makes tokens for them: what an administrator does on the hub's pages.
HARNESS: dict[str, Any] = {
    "hub": {
        "services": {"harness": {}},
        "loadRoles": {
            "harness": {"services": ["harness"], "scopes": ["admin:users", "admin:servers", "tokens", "read:users"]}
        },
    },
    "singleuser": {"image": images.NBGRADER},
}
DATABASE = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
START_SECONDS = 240


def values_in(notes: str) -> dict[str, Any]:
    """Return what the chart's notes tell to put into the hub's values, as it stands there."""
    lines = notes.splitlines()
    first = lines.index("hub:")
    last = next(number for number, line in enumerate(lines) if number > first and line.startswith("   Users'"))
    found: dict[str, Any] = yaml.safe_load("\n".join(lines[first:last]))
    return found


class Hub:
    """A hub in the namespace of a test."""

    def __init__(self, namespace: Namespace) -> None:
        """Args:
        namespace: where it runs.
        """
        self._namespace = namespace
        self._values: dict[str, Any] = {}
        self._tokens: dict[str, str] = {}

    def upgrade(self, values: dict[str, Any], *, wait: bool = True) -> None:
        """Install the hub with these values, or change them; tokens of services are made once and kept."""
        self._values = merged(self._values, HARNESS, values)
        for service in self._values["hub"]["services"]:
            self._tokens.setdefault(service, secrets.token_hex(32))
        self._apply()
        if wait:
            for deployment in ("proxy", "hub"):
                self._namespace.wait_until_rolled_out(deployment, START_SECONDS)

    def rotate(self, service: str) -> str:
        """Give a service a new token, have the hub know it, and return it."""
        self._tokens[service] = secrets.token_hex(32)
        self._apply()
        self._namespace.wait_until_rolled_out("hub", START_SECONDS)
        return self._tokens[service]

    def api(self, method: str, path: str, body: object = None) -> Any:
        """Call the hub's API, through its proxy.

        Raises:
            urllib.error.HTTPError: it refuses.
        """
        url = f"http://{self._namespace.address('proxy-public')}/hub/api{path}"
        sent = None if body is None else json.dumps(body).encode()
        headers = {"Authorization": f"token {self._tokens['harness']}", "Content-Type": "application/json"}
        request = urllib.request.Request(url, sent, headers, method=method)
        with urllib.request.urlopen(request, timeout=60) as response:
            text = response.read()
        return json.loads(text) if text else None

    def start_server(self, user: str) -> str:
        """Start a user's server, and return the name of its pod."""
        self.api("POST", f"/users/{user}")
        self.api("POST", f"/users/{user}/server")
        return f"jupyter-{user}"

    def wait_for_servers(self, *users: str) -> None:
        """Wait until the servers of these users run."""
        for user in users:
            self._namespace.wait_until(partial(self._has_server, user), f"the server of {user} runs", START_SECONDS)

    def _has_server(self, user: str) -> bool:
        try:
            return bool(self.api("GET", f"/users/{user}")["server"])
        except urllib.error.URLError:
            return False

    def token_of(self, user: str) -> str:
        """Return a token with all that the user may do."""
        return str(self.api("POST", f"/users/{user}/tokens", {})["token"])

    def _apply(self) -> None:
        token_keys = {TOKEN_KEY.format(name): self._tokens[name] for name in self._values["hub"]["services"]}
        self._tokens.setdefault("proxy", secrets.token_hex(32))
        data = {**token_keys, "hub.config.ConfigurableHTTPProxy.auth_token": self._tokens["proxy"]}
        encoded = {key: base64.b64encode(value.encode()).decode() for key, value in data.items()}
        mark = {"checksum": hashlib.sha256(json.dumps([self._values, data]).encode()).hexdigest()}
        proxy_token = {"secretKeyRef": {"name": "hub", "key": "hub.config.ConfigurableHTTPProxy.auth_token"}}
        environment = [
            {"name": "CONFIGPROXY_AUTH_TOKEN", "valueFrom": proxy_token},
            {"name": "POD_NAMESPACE", "valueFrom": {"fieldRef": {"fieldPath": "metadata.namespace"}}},
        ]
        configuration = {"values.yaml": yaml.safe_dump(self._values), "jupyterhub_config.py": CONFIGURATION.read_text()}
        self._namespace.apply(
            {**_head("v1", "Secret", "hub"), "data": encoded},
            {**_head("v1", "ConfigMap", "hub"), "data": configuration},
            _head("v1", "ServiceAccount", "hub"),
            {**_head("v1", "PersistentVolumeClaim", "hub-db-dir"), "spec": DATABASE},
            *_rights(self._namespace.name),
            _service("hub", "hub", 8081, 8081),
            _service("proxy-api", "proxy", 8001, 8001),
            _service("proxy-public", "proxy", 80, 8000),
            _deployment(
                "hub",
                ["jupyterhub", "-f", "/etc/jupyterhub/jupyterhub_config.py"],
                {"httpGet": {"path": "/hub/health", "port": 8081}, "periodSeconds": 1, "timeoutSeconds": 5},
                environment,
                mark,
                {
                    "config": ("/etc/jupyterhub", {"configMap": {"name": "hub"}}),
                    "secret": ("/etc/jupyterhub-secret", {"secret": {"secretName": "hub"}}),
                    "database": ("/srv/jupyterhub", {"persistentVolumeClaim": {"claimName": "hub-db-dir"}}),
                },
            ),
            _deployment(
                "proxy",
                [
                    *("configurable-http-proxy", "--ip=0.0.0.0", "--port=8000", "--api-ip=0.0.0.0", "--api-port=8001"),
                    *("--default-target=http://hub:8081", "--error-target=http://hub:8081/hub/error"),
                ],
                {"tcpSocket": {"port": 8000}, "periodSeconds": 1, "timeoutSeconds": 5},
                environment,
                {},
                {},
            ),
        )


def _head(version: str, kind: str, name: str) -> dict[str, Any]:
    return {"apiVersion": version, "kind": kind, "metadata": {"name": name, "labels": LABELS}}


def _service(name: str, component: str, port: int, target: int) -> dict[str, Any]:
    ports = [{"port": port, "targetPort": target, "protocol": "TCP"}]
    return {**_head("v1", "Service", name), "spec": {"selector": {**LABELS, "component": component}, "ports": ports}}


def _rights(namespace: str) -> list[dict[str, Any]]:
    rules = [
        {
            "apiGroups": [""],
            "resources": ["pods", "persistentvolumeclaims", "secrets", "services"],
            "verbs": ["get", "watch", "list", "create", "delete"],
        },
        {"apiGroups": [""], "resources": ["events"], "verbs": ["get", "watch", "list"]},
    ]
    authorization = "rbac.authorization.k8s.io"
    reference = {"apiGroup": authorization, "kind": "Role", "name": "hub"}
    subjects = [{"kind": "ServiceAccount", "name": "hub", "namespace": namespace}]
    binding = {**_head(f"{authorization}/v1", "RoleBinding", "hub"), "subjects": subjects, "roleRef": reference}
    return [{**_head(f"{authorization}/v1", "Role", "hub"), "rules": rules}, binding]


def _deployment(
    component: str,
    command: list[str],
    probe: dict[str, Any],
    environment: list[dict[str, Any]],
    marks: dict[str, str],
    mounts: dict[str, tuple[str, dict[str, Any]]],
) -> dict[str, Any]:
    labels = {**LABELS, "component": component}
    container = {
        "name": component,
        "image": images.HUB,
        "command": command,
        "env": environment,
        "readinessProbe": probe,
        "volumeMounts": [{"name": name, "mountPath": path} for name, (path, _) in mounts.items()],
    }
    pod = {
        "serviceAccountName": "hub" if component == "hub" else "default",
        "terminationGracePeriodSeconds": 5,
        "securityContext": {"fsGroup": 1000},
        "containers": [container],
        "volumes": [{"name": name, **source} for name, (_, source) in mounts.items()],
    }
    template = {"metadata": {"labels": labels, "annotations": marks}, "spec": pod}
    specification = {"selector": {"matchLabels": labels}, "strategy": {"type": "Recreate"}, "template": template}
    return {**_head("apps/v1", "Deployment", component), "spec": specification}
