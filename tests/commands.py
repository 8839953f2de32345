"""Runs `ngshare-fs` to its end, as `servers.py` starts it to serve."""

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

from tests.servers import of_ours

SECONDS = 60


def run(
    *words: str, folder: Path | None = None, environment: Mapping[str, str] = os.environ, apart: bool = True
) -> "subprocess.CompletedProcess[str]":
    """Run the command, forked from a process that has its modules.

    Args:
        words: what follows its name.
        folder: where; where the tests are, otherwise.
        environment: all of it.
        apart: whether its errors are kept apart from its output.
    """
    return of_ours().run(["-m", "ngshare_fs", *words], folder or Path.cwd(), environment, SECONDS, apart)
