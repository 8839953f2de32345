"""What the hub said about tokens, kept for a while: it is asked once for each, however many requests wait."""

import asyncio
import hashlib
import logging
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from ngshare_fs import metrics
from ngshare_fs.hub.account import Account
from ngshare_fs.hub.client import HubClient, HubDown

logger = logging.getLogger(__name__)

# A token that the hub does not know is not asked about again for so long: whoever guesses does not wear out the hub.
REFUSED_SECONDS = 5.0
# So long a request waits for a slow hub if it could go on without.
PATIENCE_SECONDS = 2.0
# After the hub failed to answer, requests that can go on without it do not even ask for so long.
PAUSE_SECONDS = 5.0
# Each takes some 500 bytes. Those that were refused are kept apart: whoever guesses must not displace the known ones.
MOST_TOKENS = 20_000
MOST_REFUSED = 2_000
# Asked about at a time: more than a hub could answer before those who wait give up.
MOST_ASKED = 2_000


@dataclass(frozen=True)
class _Known:
    account: Account
    confirmed: float


class Tokens:
    """The owners of tokens.

    Args:
        hub: knows them.
        cache_seconds: how long its answer is believed.
        grace_seconds: how long after it was last confirmed a token works while the hub does not answer.
        clock: seconds.
    """

    def __init__(
        self,
        hub: HubClient,
        cache_seconds: float,
        grace_seconds: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._hub = hub
        self._cache_seconds = cache_seconds
        self._grace_seconds = grace_seconds
        self._clock = clock
        # By the tokens' digests: what is not in memory cannot leak from it.
        self._known: OrderedDict[bytes, _Known] = OrderedDict()
        self._refused: OrderedDict[bytes, float] = OrderedDict()
        self._asking: dict[bytes, asyncio.Task[Account | None]] = {}
        self._not_before = 0.0

    async def owner(self, token: str, at_most: float | None = None) -> Account | None:
        """Whose a token is; None where the hub does not know it.

        Args:
            at_most: how many seconds old the hub's answer may be, where that is less than usual.

        Raises:
            HubDown: the hub does not answer, and the token was not confirmed lately.
        """
        key = hashlib.sha256(token.encode()).digest()
        if self._clock() - self._refused.get(key, -REFUSED_SECONDS) < REFUSED_SECONDS:
            return None
        known = self._known.get(key)
        if known is None:
            return await self._ask(key, token)
        age = self._clock() - known.confirmed
        cache_seconds = self._cache_seconds if at_most is None else min(at_most, self._cache_seconds)
        if age < cache_seconds:
            self._known.move_to_end(key)
            return known.account
        if age >= max(self._grace_seconds, cache_seconds):
            return await self._ask(key, token)
        if self._clock() < self._not_before:
            return known.account
        try:
            return await asyncio.wait_for(self._ask(key, token), PATIENCE_SECONDS)
        except (HubDown, asyncio.TimeoutError) as error:
            if self._clock() >= self._not_before:
                self._not_before = self._clock() + PAUSE_SECONDS
                why = error if isinstance(error, HubDown) else f"no answer within {PATIENCE_SECONDS:.0f} s"
                logger.warning("tokens that the hub confirmed lately go on without it: %s", why)
            return known.account

    async def _ask(self, key: bytes, token: str) -> Account | None:
        task = self._asking.get(key)
        if task is None:
            if len(self._asking) >= MOST_ASKED:
                raise HubDown(f"{MOST_ASKED} tokens wait for its answer")
            task = asyncio.create_task(self._answer(key, token))
            task.add_done_callback(_take_note)
            self._asking[key] = task
        # Whoever gives up waiting does not take the answer from the others.
        return await asyncio.shield(task)

    async def _answer(self, key: bytes, token: str) -> Account | None:
        asked = self._clock()
        try:
            account = await self._hub.account(token)
        finally:
            del self._asking[key]
        self._known.pop(key, None)
        if account is None:
            self._refused[key] = asked
            self._refused.move_to_end(key)
        else:
            self._refused.pop(key, None)
            self._known[key] = _Known(account, asked)
        while len(self._known) > MOST_TOKENS:
            self._known.popitem(last=False)
        while len(self._refused) > MOST_REFUSED:
            self._refused.popitem(last=False)
        metrics.gauge("auth_cached_tokens", len(self._known))
        return account


def _take_note(task: asyncio.Task[Account | None]) -> None:
    """Where nobody waits any more, asyncio would complain that nobody looked at the failure."""
    if not task.cancelled():
        task.exception()
