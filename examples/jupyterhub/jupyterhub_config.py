# mypy: ignore-errors
"""The hub of the example. What is below "The exchange" belongs into the configuration of any hub that uses it."""

import os
import sys
from pathlib import Path

c = get_config()  # noqa: F821 - the hub puts it there
here = Path(__file__).parent
folder = Path(os.environ["EXAMPLE_FOLDER"])
address, port = os.environ["EXAMPLE_ADDRESS"], int(os.environ["EXAMPLE_PORT"])
url = f"http://{address}:{port}"

# The exchange: the hub starts it, in debug mode, so that everybody may fill it with test data.
c.JupyterHub.services = [
    {
        "name": "ngshare",
        "url": f"http://{address}:{port + 3}",
        "command": [
            *(sys.executable, "-m", "ngshare_fs", "serve"),
            *("--data", str(folder / "exchange")),
            *("--admins", "user"),
            "--debug",
        ],
        "oauth_no_confirm": True,  # its page opens without asking "may this service know who you are?"
    }
]
# By default a hub lets nobody but admins open the page of a service.
c.JupyterHub.load_roles = [{"name": "user", "scopes": ["self", "access:services!service=ngshare"]}]

# Users' servers: each finds nbgrader_config.py, and in it where the exchange is.
c.Spawner.environment = {"JUPYTER_CONFIG_PATH": str(here / "nbgrader"), "NGSHARE_URL": f"{url}/services/ngshare"}

# For trials on one machine only: any name and any password will do, and all users are the same user to the system.
c.JupyterHub.authenticator_class = "jupyterhub.auth.DummyAuthenticator"
c.Authenticator.allow_all = True
c.JupyterHub.spawner_class = "jupyterhub.spawner.SimpleLocalProcessSpawner"
c.SimpleLocalProcessSpawner.home_dir_template = str(folder / "homes" / "{username}")
c.Spawner.default_url = "/lab"
c.Spawner.ip = address
if os.geteuid() == 0:
    c.Spawner.args = ["--allow-root"]

c.JupyterHub.bind_url = url
c.JupyterHub.hub_bind_url = f"http://{address}:{port + 2}"
c.JupyterHub.db_url = f"sqlite:///{folder}/hub.sqlite"
c.JupyterHub.cookie_secret_file = str(folder / "cookie_secret")
c.ConfigurableHTTPProxy.command = [os.environ["EXAMPLE_PROXY"]]
c.ConfigurableHTTPProxy.api_url = f"http://{address}:{port + 1}"
c.ConfigurableHTTPProxy.pid_file = str(folder / "proxy.pid")
