"""Serves ngshare 0.6.0 on a free port of this machine; runs inside the virtual environment that holds it.

Its arguments are ngshare's own; what it serves is printed as `listening on http://127.0.0.1:PORT`.
"""

import importlib
import sys
from typing import Any

released: Any = importlib.import_module("ngshare.ngshare")
httpserver: Any = importlib.import_module("tornado.httpserver")
netutil: Any = importlib.import_module("tornado.netutil")


class ServerOnFreePort(httpserver.HTTPServer):  # type: ignore[misc]  # tornado is not installed beside us
    """Takes the port that the kernel gives: one chosen beforehand may be taken by the time it is used."""

    def listen(self, *_: object, **__: object) -> None:
        """Ignore the port and the address asked for: with a hub, ngshare would listen to the whole network."""
        sockets = netutil.bind_sockets(0, "127.0.0.1")
        self.add_sockets(sockets)
        print(f"listening on http://127.0.0.1:{sockets[0].getsockname()[1]}", flush=True)


def main() -> None:
    """Repair ngshare's stand-alone mode and start it."""
    released.HTTPServer = ServerOnFreePort
    if "--vngshare" in sys.argv:
        # As released, the handler's own two methods hide those of the mock that names the user by a parameter.
        for name in {"get_current_token", "user_for_token"} & vars(released.MockAuth).keys():  # not in 0.5
            setattr(released.MyRequestHandler, name, getattr(released.MockAuth, name))
    released.main(sys.argv[1:])


if __name__ == "__main__":
    main()
