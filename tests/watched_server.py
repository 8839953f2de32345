"""`python -m tests.watched_server serve ...`: the real command, in whose log is whatever blocks its event loop."""

import sys
from typing import NoReturn

from ngshare_fs.command.main import main
from tests.event_loop import watched


def run() -> NoReturn:
    """Run the command as the words after the module's name say."""
    with watched(lambda said: print(said, file=sys.stderr, flush=True)):
        sys.exit(main())


if __name__ == "__main__":
    run()
