"""What the requests of a process may hold together, of memory or of the disk, and one user's of them."""

import asyncio
import threading
from collections import Counter, deque
from dataclasses import dataclass
from typing import Protocol

from ngshare_fs.http import refusals
from ngshare_fs.http.refusals import Refused

# How long a request waits for others to end before a byte of its body is read.
WAIT_SECONDS = 30.0
# Of what there is, requests are admitted to so much. The rest is for what they grow by: were all of it given away,
# whole classes would be refused, for want of a few bytes each.
ADMITTED = 0.75


class Budget:
    """Counts estimates, not bytes of the allocator. For the event loop's thread only.

    Args:
        limit: of all requests together.
        share: of one user's; of nobody's, where the body says who is asking, no share is known.
    """

    def __init__(self, limit: int, share: int) -> None:
        self._limit = limit
        self._share = share
        self._held = 0
        self._held_by: Counter[str | None] = Counter()
        self._waiting: deque[tuple[Holding, int, asyncio.Future[None]]] = deque()

    def holding(self, user: str | None) -> "Holding":
        """What a request of this user will hold: nothing yet."""
        return Holding(self, user)

    @property
    def held(self) -> int:
        """What all requests hold."""
        return self._held

    def _lacks(self, holding: "Holding", count: int, part: float = ADMITTED) -> refusals.Refusal | None:
        """Why a request may not hold so much more; a single one may always, for it could never be served otherwise.

        Args:
            part: of the limit and the share, what it may have.
        """
        of_user = self._held_by[holding.user]
        if holding.user is not None and of_user > holding.held and of_user + count > self._share * part:
            return refusals.TOO_MUCH_OF_ONE
        if self._held > holding.held and self._held + count > self._limit * part:
            return refusals.TOO_MUCH_AT_ONCE
        return None

    def _add(self, holding: "Holding", count: int) -> None:
        holding.held += count
        self._held += count
        self._held_by[holding.user] += count
        if not self._held_by[holding.user]:
            del self._held_by[holding.user]

    def _let_wait(self, holding: "Holding", count: int) -> asyncio.Future[None]:
        admitted: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((holding, count, admitted))
        return admitted

    def _admit(self) -> None:
        """Admit those who wait, the first first; who waits for requests of their own user lets others pass."""
        passed: list[tuple[Holding, int, asyncio.Future[None]]] = []
        while self._waiting:
            holding, count, admitted = self._waiting[0]
            lacks = None if admitted.done() else self._lacks(holding, count)
            if lacks is refusals.TOO_MUCH_AT_ONCE:
                break
            self._waiting.popleft()
            if lacks is not None:
                passed.append((holding, count, admitted))
            elif not admitted.done():
                self._add(holding, count)
                admitted.set_result(None)
        self._waiting.extendleft(reversed(passed))


class Holding:
    """What one request holds. See `Budget.holding`.

    Args:
        budget: of which it is a part.
        user: whose request it is; None where nobody knows yet.
    """

    def __init__(self, budget: Budget, user: str | None) -> None:
        self.user = user
        self.held = 0
        self._budget = budget

    async def admit(self, count: int) -> None:
        """Hold so much, once others hold little enough.

        Raises:
            Refused: they do not in time.
        """
        budget = self._budget
        # Nobody overtakes, or who wants much would wait for ever.
        if not budget._waiting and budget._lacks(self, count) is None:
            budget._add(self, count)
            return
        admitted = budget._let_wait(self, count)
        budget._admit()
        try:
            await asyncio.wait_for(asyncio.shield(admitted), WAIT_SECONDS)
        except asyncio.TimeoutError:
            if not admitted.done():
                raise Refused(budget._lacks(self, count) or refusals.TOO_MUCH_AT_ONCE) from None
        finally:
            admitted.cancel()
            budget._admit()

    def grow(self, count: int) -> None:
        """Hold so much more. Who waited here would keep what others wait for.

        Raises:
            Refused: there is no room for it now.
        """
        lacks = self._budget._lacks(self, count, part=1)
        if lacks is not None:
            raise Refused(lacks)
        self._budget._add(self, count)

    def release(self) -> None:
        """Hold nothing any more."""
        if self.held:
            self._budget._add(self, -self.held)
            self._budget._admit()


class Allowed(Protocol):
    """What the files of a request may take, by a quota."""

    def check(self, size: int) -> None:
        """Raises Refused where so many bytes are too many."""


@dataclass(frozen=True)
class Room:
    """What one request holds.

    Args:
        memory: estimated.
        large: what of it all large bodies may take.
        disk: what is staged.
        allowed: what its files may take, however much there is.
    """

    memory: Holding
    large: Holding
    disk: Holding
    allowed: Allowed | None = None

    def release(self) -> None:
        """The request is over."""
        self.memory.release()
        self.large.release()
        self.disk.release()


# A tree's files take up to 3 KiB each while they are written, whatever they hold.
MOST_FILES_AT_ONCE = 10_000
# Trees of so few are always written: there are no more of them at once than threads that write.
FEW_FILES = 500


class LargeTrees:
    """The trees of many files that a process is writing. For any thread."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._files = 0

    def enter(self, files: int) -> None:
        """Begin to write a tree of so many files; a single one may always.

        Raises:
            Refused: others have too many.
        """
        if files <= FEW_FILES:
            return
        with self._guard:
            if self._files and self._files + files > MOST_FILES_AT_ONCE:
                raise Refused(refusals.TOO_MUCH_AT_ONCE)
            self._files += files

    def leave(self, files: int) -> None:
        """It is written, or given up."""
        if files > FEW_FILES:
            with self._guard:
                self._files -= files
