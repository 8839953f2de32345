"""Does a verb of the store in processes that end at a call of it: the first, the second, and so on.

As a program, for each fork copies the tables of all the memory that its process has, and pytest has much:
`python -m tests.durability.ends_at_each_step FOLDER VERB END SAMPLE`. SAMPLE names the sample of the calls,
and is empty for all of them. What is wrong is printed.
"""

import os
import select
import signal
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ngshare_fs.store import StoreError, Volume
from tests.durability.states import difference
from tests.durability.step_bench import MOST_WRONG, Bench, Steps, flushing, step_bench, steps_for
from tests.durability.system_calls import Attempt, Wanted
from tests.durability.verbs import OF_DATES, VERBS, Verb
from tests.durability.which_calls import leaves_something, writes

PATIENCE = 60


def _after(attempt: Attempt) -> None:
    """The call is the last one. Ending before it leaves what ending after the one before it leaves."""
    attempt.perform()


def _within(attempt: Attempt) -> None:
    """The last call is made by half."""
    assert attempt.in_part is not None
    attempt.in_part()


# How a process may end at a call, and which calls count then.
ENDS: dict[str, tuple[Callable[[Attempt], None], Wanted]] = {
    "after": (_after, leaves_something),
    "within": (_within, writes),
}


class _Child:
    """A process that does a verb by the store and may end on the way.

    Args:
        bench: where.
        verb: what it does.
        end: what it does instead of the last call.
        wanted: which calls count.
        number: that of the last one.

    Attributes:
        calls: how many it made, where it did not end on the way.
    """

    calls = 0

    def __init__(self, bench: Bench, verb: Verb, end: Callable[[Attempt], Any], wanted: Wanted, number: int) -> None:
        self._bench = bench
        self._verb = verb
        self._number = number
        self._end = end
        self._wanted = wanted

    def run(self) -> str:
        """Gives the call at which it ended, and nothing where it did not."""
        self._bench.fresh()
        readable, writable = os.pipe()
        child = os.fork()
        if child == 0:
            self._act(writable)
        os.close(writable)
        try:
            return self._hear(child, readable)
        finally:
            os.close(readable)
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)

    def _act(self, writable: int) -> None:
        try:

            def end(attempt: Attempt) -> None:
                os.write(writable, f"ended at {attempt.call}".encode())
                self._end(attempt)
                os._exit(0)

            volume = Volume.open(self._bench.data)
            self._bench.watch.count(self._number, end, self._wanted)
            self._verb.act(volume)
            self._bench.watch.stop()
            os.write(writable, f"done after {len(self._bench.watch.calls)}".encode())
        except BaseException:
            os.write(writable, traceback.format_exc().encode())
        finally:
            os._exit(0)

    def _hear(self, child: int, readable: int) -> str:
        heard = b""
        deadline = time.monotonic() + PATIENCE
        while select.select([readable], [], [], max(0, deadline - time.monotonic()))[0]:
            part = os.read(readable, 65536)
            if not part:
                text = heard.decode()
                if text.startswith("done after "):
                    self.calls = int(text.removeprefix("done after "))
                    return ""
                assert text.startswith("ended at "), text
                return text.removeprefix("ended at ")
            heard += part
        raise AssertionError(f"the process {child} hangs: {heard.decode()}")


def wrong_after_ends(bench: Bench, verb: Verb, end: str, steps: Steps) -> list[str]:
    """What is wrong with the volume after such ends."""
    wrong = []
    how, wanted = ENDS[end]
    undisturbed = _Child(bench, verb, how, wanted, 0)
    assert undisturbed.run() == ""
    new = bench.state()
    for step in steps(undisturbed.calls):
        call = _Child(bench, verb, how, wanted, step).run()
        state = bench.state()
        if state not in ((bench.old, new) if call else (new,)):
            wrong.append(f"{step}, {call}: {difference(state, bench.old)} | {difference(state, new)}")
        volume = Volume.open(bench.data)
        try:
            verb.act(volume)
            if state == bench.old and bench.state() != new:
                wrong.append(f"{step}, {call}: the same later: {difference(bench.state(), new)}")
        except StoreError as error:
            if state == bench.old or verb.again == 200:
                wrong.append(f"{step}, {call}: the same later: {error!r}")
        finally:
            volume.close()
        wrong += [f"{step}, {call}: {text}" for text in bench.unclean()]
        if not call or len(wrong) > MOST_WRONG:
            break
    return wrong


def main(folder: str, verb: str, end: str, sample: str) -> int:
    # In each way to flush the same is left: see `test_every_step.py`.
    for module, name, value in flushing("by itself"):
        setattr(module, name, value)
    with step_bench(Path(folder)) as bench:
        wrong = wrong_after_ends(bench, (VERBS | OF_DATES)[verb], end, steps_for(sample, not sample))
    print("\n".join(wrong))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
