"""Failures as JupyterLab shows them: as a whole traceback, whose first line should therefore say it all."""

from nbgrader.exchange import ExchangeError


class Error(Exception):
    """The sentence. Python prints the cause of an exception before the exception itself, and after its type's name."""


# A type without a module is printed as `Error: …`, not with the path to it.
Error.__module__ = "builtins"


class NotListed(Exception):
    """A list failed in JupyterLab's Assignment List, which has words of its own for `ExchangeError`.

    They are always the same ones, of an exchange directory that does not exist.
    """


def not_done(problem: str) -> ExchangeError:
    """What to raise instead of what was raised: one sentence, and no chain of tracebacks.

    Args:
        problem: what happened, and what to do.
    """
    error = ExchangeError(problem)
    error.__cause__ = Error(problem)
    return error


def not_listed(problem: str) -> NotListed:
    """The same for a list in JupyterLab's Assignment List."""
    error = NotListed(problem)
    error.__cause__ = Error(problem)
    return error
