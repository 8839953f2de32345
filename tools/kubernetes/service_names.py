"""The names of Services, as a cluster's DNS gives them: dnsmasq, whose hosts file follows the API."""

import os
import signal
import subprocess
from pathlib import Path

from tools.kubernetes.api import ADDRESS, Api

DOMAIN = "cluster.local"


class ServiceNames:
    """What dnsmasq answers."""

    def __init__(self, api: Api, hosts: Path) -> None:
        """Args:
        api: of the node.
        hosts: the file that dnsmasq reads.
        """
        self._api = api
        self._hosts = hosts
        self._written = ""
        hosts.write_text("")

    def command(self) -> list[str]:
        """Return the command of the name server; other names than the cluster's, and those with a dot, it refuses."""
        return [
            "dnsmasq",
            "--keep-in-foreground",
            "--conf-file=/dev/null",
            "--no-resolv",
            "--no-hosts",
            f"--local=/{DOMAIN}/",
            "--domain-needed",
            f"--addn-hosts={self._hosts}",
            f"--listen-address={ADDRESS}",
            "--bind-interfaces",
            "--user=root",
            "--pid-file=",
            "--log-facility=-",
        ]

    def update(self, name_server: "subprocess.Popen[bytes]") -> None:
        """Write the names anew if they have changed, and tell the name server.

        Raises:
            ApiError: the API server does not say them.
        """
        lines = []
        headless = set()
        for service in self._api.items("/api/v1/services"):
            name = _name_of(service)
            address = service["spec"].get("clusterIP")
            if address == "None":
                headless.add(name)
            elif address:
                lines.append(f"{address} {name}\n")
        for endpoints in self._api.items("/api/v1/endpoints") if headless else []:
            if (name := _name_of(endpoints)) in headless:
                subsets = endpoints.get("subsets") or []
                lines += [f"{one['ip']} {name}\n" for subset in subsets for one in subset.get("addresses") or []]
        text = "".join(sorted(lines))
        if text != self._written:
            # In place: dnsmasq reads it only when told to.
            self._hosts.write_text(text)
            os.kill(name_server.pid, signal.SIGHUP)
            self._written = text


def _name_of(thing: dict[str, dict[str, str]]) -> str:
    return f"{thing['metadata']['name']}.{thing['metadata']['namespace']}.svc.{DOMAIN}"
