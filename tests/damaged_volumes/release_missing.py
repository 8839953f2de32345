"""An assignment whose releases were removed."""

import shutil
from pathlib import Path

from tests.volumes import Plain


def damage(plain: Plain) -> Path:
    shutil.rmtree(plain.release)
    return plain.assignment
