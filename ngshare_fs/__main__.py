"""The command `ngshare-fs`, and `python -m ngshare_fs`. Signals are heeded before anything slow is imported."""

import sys

from ngshare_fs.server.startup_signals import handle_startup_signals


def main() -> int:
    """Run the command with the words of this process; gives the exit code."""
    handle_startup_signals(sys.argv[1:])
    from ngshare_fs.command.main import main as run

    return run()


if __name__ == "__main__":
    sys.exit(main())
