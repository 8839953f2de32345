"""What all seven plug-ins share: their options, the connection, and failures in nbgrader's words."""

import errno
import os
import shutil
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from jupyter_core.paths import jupyter_data_dir
from nbgrader.exchange import ExchangeError, ExchangeFactory, abc
from nbgrader.utils import ignore_patterns
from traitlets import Bool, Float, Unicode, default

from ngshare_fs.exchange import server
from ngshare_fs.exchange.client import Client
from ngshare_fs.exchange.exchange_api import ExchangeApi
from ngshare_fs.exchange.inside_jupyter import Turn, this_turn
from ngshare_fs.exchange.problems import ServerProblem
from ngshare_fs.exchange.shown_failure import not_done

DISK_IS_FULL = (errno.ENOSPC, errno.EDQUOT)


class Exchange(abc.Exchange):
    """An exchange that is reached over HTTP."""

    url = Unicode(
        "",
        help="The server with its prefix, such as https://hub.example/services/ngshare/. Left empty, it is "
        "$NGSHARE_URL, or the service `ngshare` of the hub that runs this user's server.",
    ).tag(config=True)

    patience = Float(
        120.0,
        help="For how many seconds to try again while the server cannot be reached or asks to wait.",
    ).tag(config=True)

    cache = Unicode(
        "",
        help="Where copies and receipts of submissions are kept. Defaults to $JUPYTER_DATA_DIR/nbgrader_cache",
    ).tag(config=True)

    path_includes_course = Bool(
        False,
        help="Whether assignments are fetched to and submitted from COURSE/ASSIGNMENT rather than ASSIGNMENT.",
    ).tag(config=True)

    root = Unicode("", help="Where nbgrader's own exchange is. Not used; there for configurations that set it.").tag(
        config=True
    )

    @default("cache")
    def _cache_default(self) -> str:
        return os.path.join(jupyter_data_dir(), "nbgrader_cache")

    _api: ExchangeApi | None = None

    @property
    def api(self) -> ExchangeApi:
        """The server's calls.

        Raises:
            ServerProblem: nobody knows where the server is.
        """
        if self._api is None:
            self._api = ExchangeApi(Client(server.find(self.url), self.patience, self.log))
        return self._api

    def start(self) -> Any:
        """Do the work of the command.

        Raises:
            ExchangeError: it was not done; the log says why.
        """
        if sys.platform == "win32":
            self.fail("Sorry, the exchange is not available on Windows.")
        try:
            with self.failures():
                return super().start()
        except ExchangeError as error:
            failure = error
        self.log.debug("This is where it failed:", exc_info=failure)
        turn = self.assignment_lists_turn()
        if turn is not None:
            turn.failure = str(failure)  # of a fetch, the Assignment List says nothing, but goes on to list
        raise not_done(str(failure))

    def assignment_lists_turn(self) -> Turn | None:
        """The turn of the event loop in which JupyterLab's Assignment List does this; None where it is not the one."""
        # Formgrader's factory is part of formgrader, and commands need none.
        by_itself = isinstance(self.parent, ExchangeFactory) and self.parent.parent is None
        return this_turn() if by_itself else None

    @contextmanager
    def failures(self) -> Iterator[None]:
        """Whatever goes wrong is an `ExchangeError`: nbgrader ends with exit code 1, and shows what the log says."""
        try:
            yield
        except ServerProblem as problem:
            self.fail(str(problem))
        except shutil.Error as error:
            self.fail("; ".join(f"{source}: {reason}" for source, _, reason in error.args[0]))
        except OSError as error:
            if error.errno in DISK_IS_FULL:
                self.fail("Your disk is full, or your quota is used up. Remove files, and try again.")
            self.fail(f"{error.filename or 'A file'}: {error.strerror or error}")

    @property
    def course(self) -> str:
        """The course's name.

        Raises:
            ExchangeError: none was given.
        """
        name: str = self.coursedir.course_id
        if name in ("", "*"):
            self.fail("No course id specified. Re-run with --course flag.")
        return name

    @property
    def assignment(self) -> str:
        """The assignment's name.

        Raises:
            ExchangeError: none was given.
        """
        name: str = self.coursedir.assignment_id
        if name in ("", "*"):
            self.fail("No assignment specified.")
        return name

    def check_access(self) -> None:
        """Heed nbgrader's own lists of who takes what, where they are in use.

        Raises:
            ExchangeError: they say no.
        """
        if self.authenticator and not self.authenticator.has_access(self.coursedir.student_id, self.course):
            self.fail("You do not have access to this course.")

    def assignment_folder(self, course: str, assignment: str) -> str:
        """Where a student works on an assignment, relative to where nbgrader was started."""
        parts = (course, assignment) if self.path_includes_course else (assignment,)
        return os.path.join(self.assignment_dir, *parts)

    def copy_wanted(self, source: str, target: str) -> None:
        """Copy what the course's options do not leave out, as it is now, to be sent.

        Raises:
            ExchangeError: it is larger than the course allows.
        """
        largest = 1000 * self.coursedir.max_dir_size
        size = _size(source)
        if size > largest:
            self.fail(
                f"Directory size is too big: {source} has {size} bytes, the most is {largest}. "
                "Remove large data files, or ask your instructor (CourseDirectory.max_dir_size)."
            )
        ignore = ignore_patterns(
            exclude=self.coursedir.ignore,
            include=self.coursedir.include,
            max_file_size=self.coursedir.max_file_size,
            log=self.log,
        )
        shutil.copytree(source, target, ignore=ignore)
        # Modes are copied, too; it has to be read, and removed one day.
        for parent, _, names in os.walk(target):
            os.chmod(parent, os.stat(parent).st_mode | stat.S_IRWXU)
            for name in names:
                place = os.path.join(parent, name)
                os.chmod(place, os.stat(place).st_mode | stat.S_IRUSR | stat.S_IWUSR)

    def share(self, folder: str) -> None:
        """Let the group of instructors work on a folder, where the course is shared."""
        if not self.coursedir.groupshared:
            return
        for parent, _, names in os.walk(folder):
            os.chmod(parent, (os.stat(parent).st_mode | 0o2770) & 0o2777)  # noqa: S103
            for name in names:
                place = os.path.join(parent, name)
                os.chmod(place, (os.stat(place).st_mode | 0o660) & 0o777)


def _size(folder: str) -> int:
    total = 0
    for parent, _, names in os.walk(folder):
        places = (os.path.join(parent, name) for name in names)
        total += sum(os.path.getsize(place) for place in places if not os.path.islink(place))
    return total


__all__ = ["Exchange", "ExchangeError"]
