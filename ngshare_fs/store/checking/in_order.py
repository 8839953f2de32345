"""Trees that threads check side by side, while the findings stay in the order of the walk.

The walk through folders is one thread's: it lists, and hands out the trees. Threads do for the rest, since whoever
waits for a disk or computes a checksum lets the others run.
"""

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeAlias

from ngshare_fs.store.checking.findings import Finding
from ngshare_fs.store.checking.open_folder import OpenFolder, look_into

# How many trees the walk may be ahead of each thread: so that none waits for the walk, and no more is held than that.
AHEAD = 4


class Later:
    """A folder that is checked when somebody has the time; it is found again, whatever is renamed above it.

    Args:
        parent: the folder that it is in.
        name: its name.
        check: gives the findings in it.
    """

    def __init__(self, parent: OpenFolder, name: str, check: Callable[[OpenFolder], Iterator[Finding]]) -> None:
        self._parent = parent.kept_open()
        self._name = name
        self._check = check

    def findings(self) -> list[Finding]:
        """Check it; once only."""
        try:
            return list(look_into(self._parent, self._name, self._check))
        finally:
            self._parent.close()

    def give_up(self) -> None:
        """Do not check it."""
        self._parent.close()


Found: TypeAlias = Finding | Later


def in_order(walk: Iterator[Found], jobs: int) -> Iterator[Finding]:
    """The findings of a walk, in its order.

    Args:
        walk: gives findings, and what is to be checked.
        jobs: how many threads check; with 1 the caller's own does.
    """
    if jobs == 1:
        for found in walk:
            yield from found.findings() if isinstance(found, Later) else (found,)
        return
    ahead: deque[Finding | tuple[Later, Future[list[Finding]]]] = deque()
    with ThreadPoolExecutor(jobs, thread_name_prefix="verify") as threads:
        try:
            for found in walk:
                ahead.append((found, threads.submit(found.findings)) if isinstance(found, Later) else found)
                while ahead and (len(ahead) > jobs * AHEAD or _is_ready(ahead[0])):
                    yield from _findings(ahead.popleft())
            while ahead:
                yield from _findings(ahead.popleft())
        finally:
            for each in ahead:
                if not isinstance(each, Finding) and each[1].cancel():
                    each[0].give_up()


def _is_ready(found: Finding | tuple[Later, "Future[list[Finding]]"]) -> bool:
    return isinstance(found, Finding) or found[1].done()


def _findings(found: Finding | tuple[Later, "Future[list[Finding]]"]) -> list[Finding]:
    return [found] if isinstance(found, Finding) else found[1].result()
