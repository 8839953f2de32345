"""A tree's folder was renamed."""

from pathlib import Path

from tests.volumes import Plain


def damage(plain: Plain) -> Path:
    tree = plain.release.with_name("20200130T000000.000000Z")
    plain.release.rename(tree)
    return tree / "manifest.yaml"
