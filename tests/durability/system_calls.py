"""Sees each file-system call that this process makes below one folder, in all its threads, and disturbs the one wanted.

Python's functions for system calls are replaced where they are found: in `os`, `fcntl`, `io`, `builtins` and `ctypes`,
and wherever a module keeps one of them under a name of its own. `test_every_step.py` compares what is seen so with what
strace sees.
"""

import builtins
import ctypes
import fcntl
import io
import os
import re
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

FLUSHES = frozenset({"fsync", "fdatasync", "syncfs", "sync_file_range", "sync"})

# By the position of the path among the arguments, and whether the call changes anything; `open` depends on its flags.
_OF_PATH = {
    **dict.fromkeys(("stat", "lstat", "listdir", "scandir", "access", "readlink", "statvfs", "open"), ((0,), False)),
    **dict.fromkeys(("getxattr", "listxattr"), ((0,), False)),
    **dict.fromkeys(("mkdir", "rmdir", "unlink", "remove", "chmod", "chown", "lchown", "truncate"), ((0,), True)),
    **dict.fromkeys(("utime", "mknod", "mkfifo", "setxattr", "removexattr"), ((0,), True)),
    **dict.fromkeys(("rename", "replace", "link"), ((0, 1), True)),
    "symlink": ((1,), True),
}
_OF_DESCRIPTOR = {
    **dict.fromkeys(("read", "pread", "readv", "preadv", "fstat", "fstatvfs", "close"), ((0,), False)),
    **dict.fromkeys(("write", "pwrite", "writev", "pwritev", "ftruncate", "fchmod", "fchown"), ((0,), True)),
    **dict.fromkeys(("posix_fallocate", "fsync", "fdatasync", "sendfile"), ((0,), True)),
    **dict.fromkeys(("copy_file_range", "splice"), ((0, 1), True)),
}
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
_RANDOM = re.compile(r"[0-9a-f]{16}|\d{8}T\d{6}\.\d{6}Z(?:-[0-9a-f]{8})?|\d{4}(?=\.lock)|content-\d+")
# Modules whose own names for these functions are looked through: everything between a verb and the system.
_PACKAGES = (
    "ngshare_fs",
    "aiofiles",
    "filelock",
    "shutil",
    "tempfile",
    "pathlib",
    "genericpath",
    "posixpath",
    "os",
    "io",
)


@dataclass(frozen=True)
class SystemCall:
    """One call.

    Args:
        name: of the function in `os`, or in the C library.
        paths: relative to the folder; of a descriptor the path that it is open at.
        changes: whether it changes the volume, flushes it, or locks something.
    """

    name: str
    paths: tuple[str, ...]
    changes: bool

    def __str__(self) -> str:
        return f"{self.name}({', '.join(self.paths)})"

    @property
    def kind(self) -> str:
        """The same for the same step of two runs: without what is different each time."""
        return _RANDOM.sub("*", str(self))


@dataclass
class Attempt:
    """A call that is about to be made; a fault decides what becomes of it.

    Args:
        perform: makes the call.
        in_part: makes half of it, for writes.
        fail: lets it fail with an error number.
    """

    call: SystemCall
    perform: Callable[[], Any]
    in_part: Callable[[], Any] | None
    fail: Callable[[int], Any]


Fault = Callable[[Attempt], Any]


def failing(number: int) -> Fault:
    """The call fails: a write after half of it, as on a disk that fills up; a close after the fact."""

    def fault(attempt: Attempt) -> Any:
        if attempt.in_part is not None:
            attempt.in_part()
        elif attempt.call.name == "close":
            attempt.perform()
        return attempt.fail(number)

    return fault


def make(attempt: Attempt) -> Any:
    """Nothing is disturbed."""
    return attempt.perform()


Wanted = Callable[[SystemCall], bool]


def anything(_: SystemCall) -> bool:
    """Every call counts."""
    return True


class Watch:
    """Sees the calls while it is entered, and counts them from `count` to `stop`.

    Args:
        root: the folder that matters.
        flushes: whether flushes are really made: they take most of the time, and only a power cut can tell.
    """

    def __init__(self, root: Path, flushes: bool = False) -> None:
        self.calls: list[SystemCall] = []
        self._root = os.path.realpath(root)
        self._flushes = flushes
        self._counts = False
        self._wanted: Wanted = anything
        self._number = 0
        self._fault: Fault = make
        self._guard = threading.Lock()
        self._undo: list[tuple[Any, str, Any]] = []
        self._readlink = os.readlink
        self._open = builtins.open

    def count(self, number: int = 0, fault: Fault = make, wanted: Wanted = anything) -> None:
        """Count from here on.

        Args:
            number: the call to disturb, from 1.
            fault: what is to become of it.
            wanted: which calls count.
        """
        with self._guard:
            self.calls, self._wanted = [], wanted
            self._number, self._fault = number, fault
            self._counts = True

    def stop(self) -> SystemCall | None:
        """Stop counting; gives the call that was disturbed, None where there were not as many."""
        with self._guard:
            self._counts = False
            return self.calls[self._number - 1] if 0 < self._number <= len(self.calls) else None

    def __enter__(self) -> "Watch":
        replaced: dict[int, Any] = {}
        for table, find in ((_OF_PATH, self._path), (_OF_DESCRIPTOR, self._path)):
            for name, (positions, changes) in table.items():
                if hasattr(os, name):
                    original = getattr(os, name)
                    replaced[id(original)] = self._watched(name, original, positions, changes, find)
        for name in ("flock", "lockf"):
            original = getattr(fcntl, name)
            replaced[id(original)] = self._watched(name, original, (0,), True, self._path)
        replaced[id(builtins.open)] = self._watched_open
        self._replace_everywhere(replaced)
        self._watch_c_library()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for where, name, original in reversed(self._undo):
            setattr(where, name, original)
        self._undo = []

    def _set(self, where: Any, name: str, value: Any) -> None:
        self._undo.append((where, name, getattr(where, name)))
        setattr(where, name, value)

    def _replace_everywhere(self, replaced: dict[int, Any]) -> None:
        for module_name, module in list(sys.modules.items()):
            if module_name.split(".")[0] not in (*_PACKAGES, "fcntl", "builtins") or module is None:
                continue
            for name, value in list(vars(module).items()):
                if id(value) in replaced:
                    self._set(module, name, replaced[id(value)])

    def _watch_c_library(self) -> None:
        function_type: Any = vars(ctypes)["_CFuncPtr"]
        for module_name, module in list(sys.modules.items()):
            if module_name.split(".")[0] != "ngshare_fs" or module is None:
                continue
            for name, value in list(vars(module).items()):
                if isinstance(value, function_type):
                    self._set(module, name, _CFunction(self, value))
                elif isinstance(value, ctypes.CDLL):
                    for known, function in list(vars(value).items()):
                        if isinstance(function, function_type):
                            self._set(value, known, _CFunction(self, function))
        looked_up = ctypes.CDLL.__getattr__

        def look_up(library: ctypes.CDLL, name: str) -> Any:
            return _CFunction(self, looked_up(library, name))

        self._set(ctypes.CDLL, "__getattr__", look_up)

    def relative(self, path: Any, folder: int | None = None) -> str | None:
        """A path, or the path of a descriptor, relative to the folder; None where it is elsewhere."""
        if isinstance(path, int):
            try:
                path = self._readlink(f"/proc/self/fd/{path}").removesuffix(" (deleted)")
            except OSError:
                return None
        path = os.fsdecode(path)
        if folder is not None and not path.startswith("/"):
            path = os.path.join(self._readlink(f"/proc/self/fd/{folder}"), path)
        path = os.path.abspath(path)
        if path == self._root:
            return "."
        return path[len(self._root) + 1 :] if path.startswith(self._root + "/") else None

    def _path(self, value: Any, keywords: dict[str, Any], position: int) -> str | None:
        if not isinstance(value, (int, str, bytes, os.PathLike)):
            return None
        folder = keywords.get(("src_dir_fd", "dst_dir_fd")[position], keywords.get("dir_fd"))
        return self.relative(value, folder)

    def _watched(self, name: str, original: Any, positions: tuple[int, ...], changes: bool, find: Any) -> Any:
        def watched(*arguments: Any, **keywords: Any) -> Any:
            if not self._counts and name not in FLUSHES:
                return original(*arguments, **keywords)  # the tests' own calls are the most
            given = [
                arguments[position] if position < len(arguments) else keywords.get("path") for position in positions
            ]
            paths = [find(value, keywords, index) for index, value in enumerate(given)]
            present = tuple(path for path in paths if path is not None)
            if not present:
                return original(*arguments, **keywords)
            flags = arguments[1] if name == "open" and len(arguments) > 1 else keywords.get("flags", 0)
            call = SystemCall(name, present, changes or (name == "open" and bool(flags & _WRITING)))
            in_part = None
            if name == "write":
                half = memoryview(arguments[1])[: len(arguments[1]) // 2]
                in_part = lambda: original(arguments[0], half)  # noqa: E731
            return self.attempt(call, lambda: original(*arguments, **keywords), in_part)

        return watched

    def attempt(
        self,
        call: SystemCall,
        perform: Callable[[], Any],
        in_part: Callable[[], Any] | None = None,
        fail: Callable[[int], Any] | None = None,
    ) -> Any:
        """Count a call, and make or disturb it."""
        with self._guard:
            counts = self._counts and self._wanted(call)
            if counts:
                self.calls.append(call)
            disturbs = counts and len(self.calls) == self._number
        if disturbs:
            return self._fault(Attempt(call, perform, in_part, fail or _raise_os_error))
        if call.name in FLUSHES and not self._flushes:
            return 0
        return perform()

    def _watched_open(
        self,
        file: Any,
        mode: str = "r",
        buffering: int = -1,
        encoding: str | None = None,
        errors: str | None = None,
        newline: str | None = None,
        closefd: bool = True,
        opener: Any = None,
    ) -> Any:
        if not self._counts or not isinstance(file, (int, str, bytes, os.PathLike)) or self.relative(file) is None:
            return self._open(file, mode, buffering, encoding, errors, newline, closefd, opener)
        raw_mode = mode.replace("b", "").replace("t", "")
        raw = _WatchedFile(self, file, raw_mode, closefd, opener)
        if buffering == 0:
            return raw
        size = buffering if buffering > 1 else io.DEFAULT_BUFFER_SIZE
        buffered: Any
        if "+" in raw_mode:
            buffered = io.BufferedRandom(raw, size)
        else:
            buffered = io.BufferedReader(raw, size) if raw_mode == "r" else io.BufferedWriter(raw, size)
        return buffered if "b" in mode else io.TextIOWrapper(buffered, encoding, errors, newline, buffering == 1)


def _raise_os_error(number: int) -> Any:
    raise OSError(number, os.strerror(number))


class _WatchedFile(io.FileIO):
    """What `open` gives: its system calls are made in C, by these methods."""

    def __init__(self, watch: Watch, file: Any, mode: str, closefd: bool, opener: Any) -> None:
        self._watch = watch
        self._path = watch.relative(file) or ""
        self._file_is_open = isinstance(file, int)

        def perform() -> None:
            super(_WatchedFile, self).__init__(file, mode, closefd, opener)
            self._file_is_open = True

        if self._file_is_open:
            perform()
        else:
            watch.attempt(self._call("open", mode != "r"), perform)

    def _call(self, name: str, changes: bool) -> SystemCall:
        return SystemCall(name, (self._path,), changes)

    def write(self, data: Any) -> int:
        view = memoryview(data).cast("B")
        whole, half = super().write, view[: len(view) // 2]
        return int(self._watch.attempt(self._call("write", True), lambda: whole(view), lambda: whole(half)))

    def readinto(self, buffer: Any) -> int:
        perform = super().readinto
        return int(self._watch.attempt(self._call("read", False), lambda: perform(buffer)))

    def readall(self) -> bytes:
        perform = super().readall
        return bytes(self._watch.attempt(self._call("read", False), perform))

    def truncate(self, size: int | None = None) -> int:
        perform = super().truncate
        return int(self._watch.attempt(self._call("ftruncate", True), lambda: perform(size)))

    def close(self) -> None:
        perform = super().close
        if self.closed or not self._file_is_open:
            perform()
        else:
            self._watch.attempt(self._call("close", False), perform)


class _CFunction:
    """A function of the C library that was looked up with ctypes."""

    def __init__(self, watch: Watch, function: Any) -> None:
        self.__dict__.update(watch=watch, function=function)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.__dict__["function"], name)

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(self.__dict__["function"], name, value)

    def __call__(self, *arguments: Any) -> Any:
        watch, function = self.__dict__["watch"], self.__dict__["function"]
        given = [getattr(argument, "value", argument) for argument in arguments]
        paths = [watch.relative(value) for value in given[:1] if isinstance(value, int)]
        paths += [watch.relative(value) for value in given if isinstance(value, (bytes, str))]
        present = tuple(path for path in paths if path is not None)
        if not present:
            return function(*arguments)
        call = SystemCall(function.__name__, present, True)
        return watch.attempt(call, lambda: function(*arguments), fail=_fail_in_c)


def _fail_in_c(number: int) -> int:
    ctypes.set_errno(number)
    return -1
