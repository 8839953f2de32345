"""What a supervisor hands to its workers."""

import os
import socket
import sys
from collections.abc import MutableMapping
from dataclasses import dataclass

from ngshare_fs.server.sockets import Listener
from ngshare_fs.server.startup_signals import HANDOVER_VARIABLE


@dataclass(frozen=True)
class Handover:
    """What a worker gets from its supervisor.

    Attributes:
        listener: where to serve.
        lifeline: a pipe whose end says that the supervisor is gone.
        pings: a pipe on which to say that requests are served, again and again.
        metrics: memory in which all processes count.
        configuration: a file in memory with what the configuration file held when the supervisor read it: a worker in
            the place of a dead one must not serve another volume than the others because somebody edits the file.
    """

    listener: Listener
    lifeline: int
    pings: int
    metrics: int
    configuration: int

    @classmethod
    def take(cls, environment: MutableMapping[str, str]) -> "Handover | None":
        """Read and remove what was handed over, so that no child of ours takes it for its own; None without one."""
        text = environment.pop(HANDOVER_VARIABLE, "")
        if not text:
            return None
        is_systemds, *descriptors = map(int, text.split(":"))
        for descriptor in descriptors:
            os.set_inheritable(descriptor, False)
        listener, *others = descriptors
        return cls(Listener(socket.socket(fileno=listener), bool(is_systemds)), *others)

    @property
    def descriptors(self) -> tuple[int, int, int, int, int]:
        """What the other process has to inherit."""
        return self.listener.socket.fileno(), self.lifeline, self.pings, self.metrics, self.configuration

    def environment(self) -> dict[str, str]:
        """The environment of the worker."""
        numbers = map(int, (self.listener.is_systemds, *self.descriptors))
        return {**os.environ, HANDOVER_VARIABLE: ":".join(map(str, numbers))}

    def file(self) -> bytes:
        """What the configuration file held."""
        with open(self.configuration, "rb") as configuration:
            return configuration.read()


def same_command() -> list[str]:
    """The command line that started this process, whichever way: script, `-m`, interpreter options."""
    return [sys.executable, *sys.orig_argv[1:]]
