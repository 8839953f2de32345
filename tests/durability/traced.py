"""Does every verb once through the API, and writes down which calls the watch has seen: to be run under strace.

    python -m tests.durability.traced DATA SEEN

DATA becomes the volume, SEEN the list. Looks for files that are nowhere mark the beginning and the end of each verb.
"""

import asyncio
import contextlib
import json
import os
import sys
from pathlib import Path

from tests.durability.system_calls import SystemCall, Watch
from tests.durability.verbs import VERBS, write_small_volume
from tests.durability.which_calls import changes

BEGIN = "/ngshare-fs-begins"
END = "/ngshare-fs-ends"


async def main(data: Path, seen: Path) -> None:
    """Do every verb, those that delete at the end."""
    # Not before: this imports the test, which imports this module.
    from tests.durability.test_every_step import ask, opened, serving

    write_small_volume(data)
    calls: list[SystemCall] = []
    with Watch(data, flushes=True) as watch, contextlib.closing(opened(data)) as volume:
        async with serving(volume) as exchange:
            for verb in sorted(VERBS.values(), key=lambda verb: verb.request[0] == "DELETE"):
                watch.count(wanted=changes)
                os.path.lexists(BEGIN)
                answer = await ask(exchange, verb)
                os.path.lexists(END)
                watch.stop()
                calls += watch.calls
                assert answer.status in (200, 404, 409), answer
    seen.write_text(json.dumps([[call.name, *call.paths] for call in calls]))


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), Path(sys.argv[2])))
