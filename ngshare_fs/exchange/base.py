"""What all seven plug-ins share: their options, the connection, and failures in nbgrader's words."""

import errno
import logging
import os
import shutil
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from jupyter_core.paths import jupyter_data_dir
from nbgrader.exchange import ExchangeError, ExchangeFactory, abc
from traitlets import Any as AnyValue
from traitlets import Bool, Float, Unicode, default, validate

from ngshare_fs.exchange.connection import server
from ngshare_fs.exchange.connection.client import Client
from ngshare_fs.exchange.connection.exchange_api import ExchangeApi
from ngshare_fs.exchange.failures.problems import ServerProblem
from ngshare_fs.exchange.failures.shown_failure import not_done
from ngshare_fs.exchange.folders.file_names import without_slash
from ngshare_fs.exchange.folders.replacing import in_words
from ngshare_fs.exchange.jupyter.inside_jupyter import Turn, this_turn
from ngshare_fs.exchange.sending.snapshot import Contents, Rules, look_through
from ngshare_fs.formats.one_line import in_one_line

DISK_IS_FULL = (errno.ENOSPC, errno.EDQUOT)
_FULL = "Your disk is full, or your quota is used up. Remove files, and try again."


class Exchange(abc.Exchange):
    """An exchange that is reached over HTTP."""

    url = Unicode(
        "",
        help="The server with its prefix, such as https://hub.example/services/ngshare/. Left empty, it is "
        "$NGSHARE_URL, or the service `ngshare` of the hub that runs this user's server.",
    ).tag(config=True)

    patience = Float(
        120.0,
        help="For how many seconds to wait for the exchange in all: for connections, for a server that hangs, and "
        "between attempts. Sending and receiving are not waiting. Inside a Jupyter server it is never more than 15.",
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

    # Of any type and content: what is not used must not stop a submission.
    timezone = AnyValue("UTC", help="Of nbgrader's own exchange. Not used: the server says when, in UTC.").tag(
        config=True
    )

    timestamp_format = AnyValue(
        "%Y-%m-%d %H:%M:%S.%f %Z",
        help="Of nbgrader's own exchange. Not used: timestamps are as the server writes them.",
    ).tag(config=True)

    @validate("timestamp_format")
    def _valid_timestamp_format(self, proposal: Any) -> Any:
        return proposal["value"]

    def set_timestamp(self) -> None:
        """Nothing: nbgrader would read its own clock in its own way, and fail for a time zone that it does not know."""

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
        for option in ("course_id", "assignment_id"):
            setattr(self.coursedir, option, without_slash(getattr(self.coursedir, option)))
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
            # It has the reasons as text.
            if any(f"[Errno {number}]" in str(error) for number in DISK_IS_FULL):
                self.fail(_FULL)
            self.fail("; ".join(f"{source}: {reason}" for source, _, reason in error.args[0]))
        except OSError as error:
            if error.errno in DISK_IS_FULL:
                self.fail(_FULL)
            self.fail(in_words(error))

    @property
    def course(self) -> str:
        """The course's name.

        Raises:
            ExchangeError: none was given.
        """
        name: str = self.coursedir.course_id
        if name in ("", "*"):
            self.fail("No course id specified. Re-run with --course flag.")
        return self._text(name)

    @property
    def assignment(self) -> str:
        """The assignment's name.

        Raises:
            ExchangeError: none was given.
        """
        name: str = self.coursedir.assignment_id
        if name in ("", "*"):
            self.fail("No assignment specified.")
        return self._text(name)

    def _text(self, name: str) -> str:
        try:
            name.encode()
        except UnicodeEncodeError:
            self.fail(f"The name {in_one_line(name)} is no UTF-8 text: rename the folder.")
        return name

    def check_access(self) -> None:
        """Heed nbgrader's own lists of who takes what, where they are in use.

        Raises:
            ExchangeError: they say no.
        """
        if self.authenticator and not self.authenticator.has_access(self.coursedir.student_id, self.course):
            self.fail("You do not have access to this course.")

    def assignment_folder(self, course: str, assignment: str) -> str:
        """Where a student works on an assignment, relative to where nbgrader was started.

        Args:
            course, assignment: which it is.
        """
        parts = (course, assignment) if self.path_includes_course else (assignment,)
        return os.path.join(self.assignment_dir, *parts)

    def rules(self) -> Rules:
        """The course's options on what is sent."""
        directory = self.coursedir
        return Rules(directory.ignore, directory.include, directory.max_file_size, directory.max_dir_size)

    def contents_of(self, folder: str) -> Contents:
        """What of a folder is to be sent; what is left out is said in nbgrader's words.

        Args:
            folder: the assignment's.

        Raises:
            ServerProblem: something in it may be work and cannot be sent, or it is larger than the course allows.
        """
        contents = look_through(folder, self.rules())
        for each in contents.left_out:
            place = in_one_line(os.path.join(folder, each.path))
            level = logging.DEBUG if each.by_option else logging.WARNING
            self.log.log(level, "Ignoring %s '%s' (%s)", each.kind, place, each.because)
        return contents

    def share(self, place: str) -> None:
        """Let the group of instructors work on a folder with all that is in it, where the course is shared."""
        if not self.coursedir.groupshared:
            return
        _grant(place)
        for parent, folders, files in os.walk(place):
            for name in (*folders, *files):
                _grant(os.path.join(parent, name))

    def share_above(self, place: str) -> None:
        """The same for the folders above, inside the course: in them, others replace what is there.

        Args:
            place: the folder below them.
        """
        if not self.coursedir.groupshared:
            return
        root = os.path.abspath(self.coursedir.root)
        above = os.path.dirname(os.path.abspath(place))
        while above != root and os.path.commonpath([above, root]) == root:
            _grant(above)
            above = os.path.dirname(above)


def _grant(place: str) -> None:
    """Give the group what it needs; what a colleague has made, only the colleague can give."""
    mode = os.lstat(place).st_mode
    if stat.S_ISLNK(mode):
        return
    wanted = 0o2770 if stat.S_ISDIR(mode) else 0o660
    if mode & wanted != wanted:
        with suppress(PermissionError):
            os.chmod(place, (mode | wanted) & 0o2777)


__all__ = ["Exchange", "ExchangeError"]
