"""The command `ngshare-fs`, and `python -m ngshare_fs`. Signals are heeded before anything slow is imported."""

import sys

from ngshare_fs.server.startup_signals import handle_startup_signals

# As a shell gives it for a command that a closed pipe has ended.
NOBODY_READS = 141


def main() -> int:
    """Run the command with the words of this process; gives the exit code."""
    handle_startup_signals(sys.argv[1:])
    from ngshare_fs.command.main import main as run
    from ngshare_fs.terminal.output_lost import OutputLost, stop_printing, watch_output

    watch_output()
    try:
        code = run()
        if sys.stdout is not None:
            sys.stdout.flush()
    except OutputLost as lost:
        stop_printing()
        if not lost.problem:
            return NOBODY_READS
        from ngshare_fs.command.output import fail

        return fail(f"what is printed cannot be written: {lost.problem}", 1)
    return code


if __name__ == "__main__":
    sys.exit(main())
