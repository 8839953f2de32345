"""Asking before something is done that is hard to take back."""

import sys

from ngshare_fs.formats.one_line import in_one_line


class NotConfirmed(Exception):
    """Nobody has said yes."""


def confirm(question: str, yes: bool, option: str = "--yes", may_ask: bool = True) -> None:
    """Go on only if somebody wants it.

    Args:
        question: what is about to be done.
        yes: it was said on the command line.
        option: that says so.
        may_ask: false where nobody would see the question.

    Raises:
        NotConfirmed: the answer was no, or there is nobody to ask.
    """
    if yes:
        return
    if not may_ask or sys.stdin is None or not sys.stdin.isatty():
        # A script that waits for an answer would wait for ever.
        raise NotConfirmed(f"{question} Nobody is there to ask: say {option}. Nothing was changed.")
    print(f"{in_one_line(question)} [y/N] ", end="", file=sys.stderr, flush=True)
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        raise NotConfirmed("Nothing was changed.")
