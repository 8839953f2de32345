"""Where the store's blocking calls run, so that no request waits for another's disk."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

from ngshare_fs.store.errors import from_os_error

# Readers have threads of their own: a disk that is slow to flush must not hold up a listing. Writers mostly wait for
# the disk, and flushes that wait together are shared by it; so there are many.
READERS = 8
WRITERS = 32

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")


class Blocking:
    """Two bounded pools of threads."""

    def __init__(self) -> None:
        self.readers = ThreadPoolExecutor(READERS, thread_name_prefix="read")
        self.writers = ThreadPoolExecutor(WRITERS, thread_name_prefix="write")

    async def read(
        self, function: Callable[Parameters, Result], *args: Parameters.args, **kwargs: Parameters.kwargs
    ) -> Result:
        """Call a function that only reads.

        Raises:
            StoreError: also in place of every OSError.
        """
        return await asyncio.get_running_loop().run_in_executor(
            self.readers, lambda: _translated(function, *args, **kwargs)
        )

    async def write(
        self, function: Callable[Parameters, Result], *args: Parameters.args, **kwargs: Parameters.kwargs
    ) -> Result:
        """Call a function that writes; it runs to its end even if nobody waits for it any more.

        Raises:
            StoreError: also in place of every OSError.
        """
        running = asyncio.get_running_loop().run_in_executor(
            self.writers, lambda: _translated(function, *args, **kwargs)
        )
        return await asyncio.shield(running)

    def close(self) -> None:
        """Wait for what is running."""
        self.readers.shutdown()
        self.writers.shutdown()


def _translated(function: Callable[Parameters, Result], *args: Parameters.args, **kwargs: Parameters.kwargs) -> Result:
    try:
        return function(*args, **kwargs)
    except OSError as error:
        raise from_os_error(error) from error
