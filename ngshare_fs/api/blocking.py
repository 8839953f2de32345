"""Where the store's blocking calls run, so that no request waits for another's disk."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

from ngshare_fs.store.errors import from_failed_look, from_os_error

# Readers have threads of their own: a disk that is slow to flush must not hold up a listing. Writers mostly wait for
# the disk, and flushes that wait together are shared by it; so there are many. What manages a course waits for that
# course's lock: were it let in among the submissions, one stuck lock would stop them all.
READERS = 8
WRITERS = 32
MANAGERS = 8

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")


class Blocking:
    """Three bounded pools of threads."""

    def __init__(self) -> None:
        self.readers = ThreadPoolExecutor(READERS, thread_name_prefix="read")
        self.writers = ThreadPoolExecutor(WRITERS, thread_name_prefix="write")
        self.managers = ThreadPoolExecutor(MANAGERS, thread_name_prefix="manage")

    async def read(
        self, function: Callable[Parameters, Result], *args: Parameters.args, **kwargs: Parameters.kwargs
    ) -> Result:
        """Call a function that only reads.

        Raises:
            StoreError: also in place of every OSError.
        """
        return await asyncio.get_running_loop().run_in_executor(
            self.readers, lambda: _looked(function, *args, **kwargs)
        )

    async def write(
        self, function: Callable[Parameters, Result], *args: Parameters.args, **kwargs: Parameters.kwargs
    ) -> Result:
        """Call a function that writes; it runs to its end even if nobody waits for it any more.

        Raises:
            StoreError: also in place of every OSError.
        """
        return await self._to_the_end(self.writers, lambda: translated(function, *args, **kwargs))

    async def manage(
        self, function: Callable[Parameters, Result], *args: Parameters.args, **kwargs: Parameters.kwargs
    ) -> Result:
        """The same for one that may wait for a course's lock."""
        return await self._to_the_end(self.managers, lambda: translated(function, *args, **kwargs))

    async def _to_the_end(self, threads: ThreadPoolExecutor, call: Callable[[], Result]) -> Result:
        return await asyncio.shield(asyncio.get_running_loop().run_in_executor(threads, call))

    def close(self) -> None:
        """Wait for what is running."""
        self.readers.shutdown()
        self.writers.shutdown()
        self.managers.shutdown()


def translated(function: Callable[Parameters, Result], *args: Parameters.args, **kwargs: Parameters.kwargs) -> Result:
    """Call a function; an OSError becomes the store's word for it."""
    try:
        return function(*args, **kwargs)
    except OSError as error:
        raise from_os_error(error) from error


def _looked(function: Callable[Parameters, Result], *args: Parameters.args, **kwargs: Parameters.kwargs) -> Result:
    """The same for a function that only reads: what it may not read does not mean that the volume is read-only."""
    try:
        return function(*args, **kwargs)
    except OSError as error:
        raise from_failed_look(error) from error
