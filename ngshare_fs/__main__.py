"""The command `ngshare-fs`, and `python -m ngshare_fs`. Signals are heeded before anything slow is imported."""

import sys

from ngshare_fs.server.startup_signals import handle_startup_signals

# As a shell gives it for a command that a closed pipe has ended.
NOBODY_READS = 141


def main() -> int:
    """Run the command with the words of this process; gives the exit code."""
    handle_startup_signals(sys.argv[1:])
    from ngshare_fs.command.main import main as run
    from ngshare_fs.terminal.reader_gone import ReaderGone, notice_readers, stop_printing

    notice_readers()
    try:
        code = run()
        if sys.stdout is not None:
            sys.stdout.flush()
    except ReaderGone:
        stop_printing()
        return NOBODY_READS
    return code


if __name__ == "__main__":
    sys.exit(main())
