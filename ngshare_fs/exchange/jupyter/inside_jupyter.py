"""What is different inside a Jupyter server: nbgrader's extensions do their work in its event loop.

While they wait for the exchange, no notebook is saved and no cell is run, so they may not wait for long.
"""

import asyncio
import sys

# For the exchange, in one turn of the event loop, whatever is done in it.
LONGEST_WAIT_SECONDS = 15.0
# Where a Jupyter server is one object for the whole process: today's, and that of the classic notebook.
_SERVERS = (("jupyter_server.serverapp", "ServerApp"), ("notebook.notebookapp", "NotebookApp"))


class Turn:
    """One turn of the event loop: all that a request to the Jupyter server does before others have theirs."""

    def __init__(self) -> None:
        # For the exchange, in seconds.
        self.waited = 0.0
        # Why something was not done of which nbgrader's extension will not say so.
        self.failure = ""


_turn: Turn | None = None


def is_inside() -> bool:
    """Whether this process is a Jupyter server."""
    servers = (getattr(sys.modules.get(module), name, None) for module, name in _SERVERS)
    return any(server is not None and server.initialized() for server in servers)


def this_turn() -> Turn | None:
    """The turn of the event loop in which we are; None outside of Jupyter servers.

    A thread of its own holds up nobody else, but is not waited for much longer either: it is a new turn each time.
    """
    global _turn
    if not is_inside():
        return None
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        return Turn()
    if _turn is None:
        _turn = Turn()
        loop.call_soon(_end_turn)
    return _turn


def _end_turn() -> None:
    global _turn
    _turn = None
