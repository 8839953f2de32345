"""An assignment's folder has a cut name, and its release another one: nobody can know its name."""

from pathlib import Path

from tests.volumes import Plain, folder_of


def damage(plain: Plain) -> Path:
    folder = plain.course / "assignments" / folder_of("a" * 300)
    plain.assignment.rename(folder)
    return folder / "releases" / plain.release.name / "manifest.yaml"
