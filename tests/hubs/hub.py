"""A real JupyterHub behind its real proxy, with the server under test as its service `ngshare`."""

import json
import os
import re
import secrets
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from examples.environments import REPOSITORY, proxy
from tests import servers
from tests.hubs import user_server
from tests.hubs.client import call
from tests.hubs.environments import NEWEST, hub_programs, hub_server
from tests.hubs.running import free_address, kept
from tests.servers import Process

START_SECONDS = 60
STARTS = 5
# Of what is waited for: the longer it takes, the less the machine has left for whom asking disturbs.
POLL_SECONDS, LATER_SECONDS, SOON_SECONDS = 0.02, 0.2, 2
USERS_AT_ONCE = 25
ADMIN = "admin"
SERVICE_SCOPE = "access:services!service=ngshare"
# A service that is no user, one that is called like one, and one that the server's configuration may name.
SERVICES = ("outsider", "teacher", "autograder")
# Services that may learn as much of the hub's groups as their scopes say.
FOLLOWERS: dict[str, tuple[str, ...]] = {
    "follows all": ("list:groups", "read:groups"),
    "follows what it knows": ("read:groups",),
    "follows two": ("read:groups!group=nbgrader-c", "read:groups!group=formgrade-c"),
    "may do anything": ("groups",),
}
# May make tokens whose scope is the server of `other`: somebody who helps with that server.
HELPER, HELPED = "helper", "other"
# Holds the scope of the service on every hub.
INSIDER = "insider"


@dataclass(frozen=True)
class Plan:
    """How a hub is set up.

    Args:
        version: of JupyterHub.
        base_url: where the hub starts.
        managed: the hub starts the service; otherwise it was started beside the hub.
        granted: users may use the service: they hold its scope, which no hub gives them by default.
        options: of the server, beside the data folder and the admin.
        servers_granted: the tokens of users' servers hold that scope, too.
        confirms: users are asked before the service learns who they are.
        own_scopes: what the service may do at the hub.
    """

    version: str = NEWEST
    base_url: str = "/"
    managed: bool = True
    granted: bool = True
    servers_granted: bool = False
    options: tuple[str, ...] = ()
    confirms: bool = True
    own_scopes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Token:
    """A user's token, and the name by which the hub revokes it."""

    text: str
    identity: str


class Hub:
    """A hub, running unless it was killed.

    Attributes:
        plan: how it is set up.
        folder: all that it keeps; `volume` is the server's.
        origin: where the proxy listens: scheme, address and port.
        prefix: the path of the service.
        url: of the service, through the proxy; ends with `/`.
        direct_url: the same past the proxy; `address` and `service_port` are its.
        secrets: all that must not be seen anywhere.
    """

    def __init__(self, plan: Plan, folder: Path) -> None:
        """Choose where it will listen."""
        address, ports = free_address(4)
        self.plan = plan
        self.folder = folder
        self.volume = folder / "volume"
        self.address = address
        self.prefix = f"{plan.base_url}services/ngshare/"
        self.origin = f"http://{address}:{ports[0]}"
        self.url = self.origin + self.prefix
        self._hub, self._proxy_api, self._service = (f"http://{address}:{port}" for port in ports[1:])
        self.direct_url = self._service + self.prefix
        self.service_port = ports[3]
        self.api_url = f"{self._hub}{plan.base_url}hub/api"
        self.tokens_of_services = {
            name: secrets.token_hex(32) for name in ("harness", "ngshare", *SERVICES, *FOLLOWERS)
        }
        self.secrets = set(self.tokens_of_services.values())
        self._running = ExitStack()
        self._process: Process | None = None

    # What is started

    @property
    def log(self) -> str:
        """All that the hub and its proxy have said, and a managed service, too."""
        return _text_of(self.folder / "hub.log")

    @property
    def service_log(self) -> str:
        """All that the service has said; among the hub's words where the hub manages it."""
        return self.log if self.plan.managed else _text_of(self.folder / "service.log")

    def start(self) -> None:
        """Start the hub, until its API answers, and a managed service with it.

        Raises:
            AssertionError: it does not come up; the message has its log.
        """
        configuration = self.folder / "hub.json"
        configuration.write_text(json.dumps(self._configuration(), indent=2))
        programs = hub_programs(self.plan.version)
        path = os.pathsep.join([str(programs), os.environ.get("PATH", os.defpath)])
        self._process = self._running.enter_context(
            kept(
                [str(programs / "jupyterhub"), "-f", str(configuration)],
                self.folder / "hub.log",
                # Nothing of the tests' own environment reaches the hub, and through it the service.
                environment={"PATH": path, "LANG": "C.UTF-8", "HOME": str(self.folder)},
                folder=self.folder,
                server=hub_server(self.plan.version),
            )
        )
        self.wait_until(lambda: self._answers(self.api_url + "/"), "the hub answers")

    def wait_until_served(self) -> None:
        """Wait until the service answers through the proxy, which has the hub make a page as long as it does not."""
        self.wait_until(lambda: self._answers(self.direct_url + "healthz"), "the service answers")
        self.wait_until(lambda: self._answers(self.url + "healthz"), "the service answers through the proxy")

    def wait_until(self, holds: Callable[[], bool], what: str, seconds: float = START_SECONDS) -> None:
        """Wait until something holds, unless the hub ends before.

        Raises:
            AssertionError: it did not in time; the message has the logs.
        """
        began = time.monotonic()
        while not holds():
            ended, waited = self._process is not None and self._process.poll() is not None, time.monotonic() - began
            if ended or waited > seconds:
                of_service = "" if self.plan.managed else f"\n\nThe service:\n{self.service_log}"
                raise AssertionError(f"not {what}{', the hub ended' * ended}:\n{self.log}{of_service}")
            time.sleep(POLL_SECONDS if waited < SOON_SECONDS else LATER_SECONDS)

    def kill(self) -> None:
        """End the hub at once, and its proxy with it; a service that it does not manage goes on."""
        self._signal(signal.SIGKILL)
        self._running.close()

    def stop(self) -> None:
        """Ask the hub to end, as an init system would, and wait."""
        self._running.close()

    def kill_service(self) -> None:
        """End a service that the hub manages, at once."""
        for process in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):
                if str(self.volume).encode() in (process / "cmdline").read_bytes().split(b"\0"):
                    os.kill(int(process.name), signal.SIGKILL)

    @contextmanager
    def halted(self) -> Iterator[None]:
        """The hub takes connections and does not answer: it hangs, or is far too slow."""
        self._signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self._signal(signal.SIGCONT)

    @contextmanager
    def external_service(self) -> Iterator[Process]:
        """Run the service beside the hub."""
        log, (_, *command) = self.folder / "service.log", self._service_command()
        with kept(command, log, environment=self.environment, folder=self.folder, server=servers.of_ours()) as process:
            yield process

    @property
    def environment(self) -> dict[str, str]:
        """The variables that the service's documentation asks for, where the hub does not start it."""
        return {
            **{name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ},
            "PYTHONPATH": str(REPOSITORY),
            "JUPYTERHUB_API_TOKEN": self.tokens_of_services["ngshare"],
            "JUPYTERHUB_API_URL": self.api_url,
            "JUPYTERHUB_BASE_URL": self.plan.base_url,
            "JUPYTERHUB_CLIENT_ID": "service-ngshare",
            "JUPYTERHUB_SERVICE_NAME": "ngshare",
            "JUPYTERHUB_SERVICE_PREFIX": self.prefix,
            "JUPYTERHUB_SERVICE_URL": self._service,
        }

    # What is asked of the hub

    def api(self, method: str, path: str, body: Any = None) -> Any:
        """Call the hub's own API, with nearly all rights.

        Raises:
            AssertionError: it is refused.
        """
        sent = None if body is None else json.dumps(body).encode()
        answer = call(method, self.api_url + path, self.tokens_of_services["harness"], body=sent)
        assert answer.status < 300, (method, path, answer)
        return answer.body

    def add_users(self, *names: str) -> None:
        """Let the hub know users; those that it knows already stay."""
        url, harness = self.api_url + "/users", self.tokens_of_services["harness"]
        for first in range(0, len(names), USERS_AT_ONCE):
            body = json.dumps({"usernames": names[first : first + USERS_AT_ONCE]}).encode()
            answer = call("POST", url, harness, body=body)
            assert answer.status in (201, 409), answer  # 409: it knows all of them

    def join(self, user: str, *groups: str) -> None:
        """Put a user into groups, which are made where they are not there yet."""
        for group in groups:
            url, body = f"{self.api_url}/groups/{quote(group)}", json.dumps({"users": [user]}).encode()
            made = call("POST", url, self.tokens_of_services["harness"], body=body)
            if made.status != 201:
                assert made.status == 409, made  # it is there
                self.api("POST", f"/groups/{quote(group)}/users", {"users": [user]})

    def leave(self, user: str, *groups: str) -> None:
        """Take a user out of groups."""
        for group in groups:
            self.api("DELETE", f"/groups/{quote(group)}/users", {"users": [user]})

    def token(self, user: str, *scopes: str) -> Token:
        """Make a token with these scopes; without any, it can what its user can."""
        body = {"note": "a test", **({"scopes": scopes} if scopes else {})}
        made = self.api("POST", f"/users/{quote(user)}/tokens", body)
        self.secrets.add(made["token"])
        return Token(made["token"], made["id"])

    def revoke(self, user: str, token: Token) -> None:
        """Have the hub forget a token."""
        self.api("DELETE", f"/users/{quote(user)}/tokens/{token.identity}")

    def start_server(self, user: str) -> str:
        """Start a user's own server, and return the token that the hub gave it."""
        token_file = self.home(user) / user_server.TOKEN_FILE
        self.api("POST", f"/users/{quote(user)}/server")
        self.wait_until(lambda: bool(self.api("GET", f"/users/{quote(user)}")["server"]), f"the server of {user} runs")
        token = token_file.read_text()
        self.secrets.add(token)
        return token

    def stop_server(self, user: str) -> None:
        """Stop a user's own server; its token goes with it."""
        self.api("DELETE", f"/users/{quote(user)}/server")
        self.wait_until(lambda: not self.api("GET", f"/users/{quote(user)}")["servers"], f"the server of {user} ends")

    def home(self, user: str) -> Path:
        """The home of a user whose server was started."""
        return self.folder / "homes" / user

    def questions_about_users(self) -> Counter[str]:
        """How often the service has asked the hub whose token it has, and it was whose."""
        return Counter(re.findall(rf"GET {self.plan.base_url}hub/api/user \((.*?)@", self.log))

    # How it is set up

    def _configuration(self) -> dict[str, Any]:
        folder, plan = self.folder, self.plan
        return {
            "version": 1,
            "JupyterHub": {
                "bind_url": self.origin + plan.base_url,
                "hub_bind_url": self._hub,
                "db_url": f"sqlite:///{folder}/hub.sqlite",
                "cookie_secret_file": str(folder / "cookie_secret"),
                "pid_file": str(folder / "hub.pid"),
                "authenticator_class": "jupyterhub.auth.DummyAuthenticator",
                "spawner_class": "jupyterhub.spawner.SimpleLocalProcessSpawner",
                "services": [self._service_entry(), *self._other_services()],
                "load_roles": self._roles(),
            },
            "Authenticator": {"allow_all": True} if plan.version != "4" else {},
            "ConfigurableHTTPProxy": {
                "command": [str(proxy())],
                "api_url": self._proxy_api,
                "pid_file": str(folder / "proxy.pid"),
            },
            "Spawner": {"cmd": [sys.executable, user_server.__file__], "ip": self.address, "poll_interval": 1},
            "SimpleLocalProcessSpawner": {"home_dir_template": str(folder / "homes" / "{username}")},
        }

    def _service_command(self) -> list[str]:
        command = [sys.executable, "-m", "ngshare_fs", "serve", "--data", str(self.volume), "--admins", ADMIN]
        return [*command, *self.plan.options]

    def _service_entry(self) -> dict[str, Any]:
        entry: dict[str, Any] = {"name": "ngshare", "url": self._service, "oauth_no_confirm": not self.plan.confirms}
        entry["api_token"] = self.tokens_of_services["ngshare"]
        if self.plan.managed:
            entry |= {"command": self._service_command(), "environment": {"PYTHONPATH": str(REPOSITORY)}}
        return entry

    def _other_services(self) -> list[dict[str, Any]]:
        return [
            {"name": name, "api_token": self.tokens_of_services[name]} for name in ("harness", *SERVICES, *FOLLOWERS)
        ]

    def _roles(self) -> list[dict[str, Any]]:
        rights = ["admin:users", "admin:servers", "admin:groups", "tokens", "list:users", "read:users"]
        granted = [{"name": "user", "scopes": ["self", SERVICE_SCOPE]}] if self.plan.granted else []
        # A role is given to users that exist: the hub makes them, as this role names them.
        helps = {"name": "helper", "users": [HELPER], "scopes": [f"access:servers!server={HELPED}/"]}
        inside = {"name": "inside", "users": [INSIDER], "scopes": [SERVICE_SCOPE]}
        if self.plan.own_scopes:
            granted.append({"name": "ngshare", "services": ["ngshare"], "scopes": list(self.plan.own_scopes)})
        if self.plan.servers_granted:
            of_servers = ["users:activity!user", "access:servers!server", SERVICE_SCOPE]
            granted.append({"name": "server", "scopes": of_servers})
        follow = [
            {"name": f"follower-{number}", "services": [name], "scopes": list(scopes)}
            for number, (name, scopes) in enumerate(FOLLOWERS.items())
        ]
        return [{"name": "harness", "services": ["harness"], "scopes": rights}, helps, inside, *follow, *granted]

    def _signal(self, number: int) -> None:
        os.kill(int((self.folder / "hub.pid").read_text()), number)

    def _answers(self, url: str) -> bool:
        try:
            return call("GET", url).status == 200
        except OSError:
            return False


def _text_of(log_file: Path) -> str:
    return log_file.read_text(encoding="utf-8", errors="replace") if log_file.exists() else ""


@contextmanager
def running_hub(folder: Path, plan: Plan) -> Iterator[Hub]:
    """Run a hub, and the service that it does not manage; all it keeps is in a new folder below this one.

    Raises:
        NotInstallable: there is no Node.js.
        AssertionError: it does not come up, several times; the message has its log.
    """
    for attempt in range(STARTS):
        of_this_attempt = folder / f"hub-{attempt}"
        of_this_attempt.mkdir(parents=True)
        hub = Hub(plan, of_this_attempt)
        with ExitStack() as running:
            running.callback(hub.stop)
            service = None
            try:
                hub.start()
                if not plan.managed:
                    # Now, while the hub starts: it looks for the service for half a minute before it adds the route.
                    service = running.enter_context(hub.external_service())
                hub.wait_until_served()
            except AssertionError:
                # Between looking for a free port and listening there, somebody else may have taken it.
                lost = "address already in use" in (hub.log + hub.service_log).lower() or "EADDRINUSE" in hub.log
                if lost and attempt < STARTS - 1:
                    continue
                raise
            yield hub
            assert service is None or service.poll() is None, hub.service_log
            return
