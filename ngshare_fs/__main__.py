"""The command `ngshare-fs`, and `python -m ngshare_fs`. Signals are heeded before anything slow is imported."""

import sys

from ngshare_fs.server.startup_signals import handle_startup_signals

# As a shell gives it for a command that Ctrl-C has ended.
STOPPED = 130


def main() -> int:
    """Run the command with the words of this process; gives the exit code."""
    handle_startup_signals(sys.argv[1:])
    try:
        from ngshare_fs.command.main import main as run

        return run()
    except KeyboardInterrupt:
        # What was written is there whole or not at all, so nobody has to read where in the program that was.
        print("ngshare-fs: stopped: run this again, and it goes on", file=sys.stderr)
        return STOPPED


if __name__ == "__main__":
    sys.exit(main())
