"""Installs what a hub needs, and starts it."""

import argparse
import os
from pathlib import Path

from examples.environments import REPOSITORY, NotInstallable
from examples.jupyterhub.environment import installed

HERE = Path(__file__).parent


def main() -> None:
    """Become the hub.

    Raises:
        SystemExit: something is missing; the message says what.
    """
    parser = argparse.ArgumentParser(prog="examples/jupyterhub/start", description="A hub to try the exchange with.")
    parser.add_argument(
        "--port", type=int, default=8000, help="where it listens, and three more after it (%(default)s)"
    )
    parser.add_argument("--address", default="127.0.0.1", help="the address; keep it one of this machine (%(default)s)")
    parser.add_argument(
        "--folder",
        type=Path,
        default=REPOSITORY / ".cache" / "jupyterhub-example",
        help="where all is kept (%(default)s)",
    )
    arguments = parser.parse_args()
    try:
        programs, proxy = installed()
    except (NotInstallable, RuntimeError) as error:
        raise SystemExit(str(error)) from None
    folder = arguments.folder.absolute()
    folder.mkdir(parents=True, exist_ok=True)
    print(f"\n  The hub: http://{arguments.address}:{arguments.port}/", flush=True)
    print(f"  All that it keeps is in {folder}. Ctrl-C ends it.\n", flush=True)
    environment = {
        **{name: text for name, text in os.environ.items() if not name.startswith(("JUPYTER", "NGSHARE", "PYTHON"))},
        "PATH": os.pathsep.join([str(programs), os.environ.get("PATH", os.defpath)]),
        "EXAMPLE_ADDRESS": arguments.address,
        "EXAMPLE_PORT": str(arguments.port),
        "EXAMPLE_FOLDER": str(folder),
        "EXAMPLE_PROXY": str(proxy),
    }
    os.chdir(folder)
    command = [str(programs / "jupyterhub"), "--config", str(HERE / "jupyterhub_config.py")]
    os.execve(command[0], command, environment)


if __name__ == "__main__":
    main()
