"""A folder that only its owner may read."""

from pathlib import Path

from tests.volumes import Plain


def damage(plain: Plain) -> Path:
    plain.submission.parent.chmod(0)
    return plain.submission.parent
