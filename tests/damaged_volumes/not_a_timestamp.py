"""A folder named by a date that no calendar has."""

import shutil
from pathlib import Path

from tests.volumes import Plain


def damage(plain: Plain) -> Path:
    tree = plain.release.with_name("20200230T103047.524219Z")
    shutil.copytree(plain.release, tree)
    return tree
