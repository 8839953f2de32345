"""A pipe, which nobody may wait for."""

import os
from pathlib import Path

from tests.volumes import Plain


def damage(plain: Plain) -> Path:
    pipe = plain.course / "pipe"
    os.mkfifo(pipe)
    return pipe
