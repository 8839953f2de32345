# mypy: ignore-errors
"""A hub that reads its values as the hub's own chart does: services and roles are maps, tokens are in the Secret."""

import os
from pathlib import Path

import yaml

values = yaml.safe_load(Path("/etc/jupyterhub/values.yaml").read_text())
secret = Path("/etc/jupyterhub-secret")

c = get_config()  # noqa: F821 - JupyterHub puts it there
c.JupyterHub.spawner_class = "kubespawner.KubeSpawner"
c.ConfigurableHTTPProxy.api_url = "http://proxy-api:8001"
c.ConfigurableHTTPProxy.auth_token = os.environ["CONFIGPROXY_AUTH_TOKEN"]
c.ConfigurableHTTPProxy.should_start = False
c.JupyterHub.cleanup_servers = False
c.JupyterHub.db_url = "sqlite:////srv/jupyterhub/hub.sqlite"
c.JupyterHub.bind_url = "http://0.0.0.0:8000/"
c.JupyterHub.hub_bind_url = "http://0.0.0.0:8081"
c.JupyterHub.hub_connect_url = "http://hub:8081"
c.JupyterHub.authenticator_class = "dummy"
c.Authenticator.allow_all = True
c.KubeSpawner.namespace = os.environ["POD_NAMESPACE"]
c.KubeSpawner.image = values["singleuser"]["image"]
c.KubeSpawner.environment = values["singleuser"].get("extraEnv", {})
c.KubeSpawner.cmd = ["jupyterhub-singleuser"]
c.KubeSpawner.start_timeout = 180
c.KubeSpawner.http_timeout = 180
c.KubeSpawner.common_labels = {"app": "jupyterhub", "heritage": "jupyterhub", "component": "singleuser-server"}
c.JupyterHub.services = [
    {"name": name, **service, "api_token": (secret / f"hub.services.{name}.apiToken").read_text()}
    for name, service in values["hub"].get("services", {}).items()
]
c.JupyterHub.load_roles = [{"name": name, **role} for name, role in values["hub"].get("loadRoles", {}).items()]
