"""From findings to steps, and the steps one by one."""

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from ngshare_fs.store import journal
from ngshare_fs.store.checking.findings import VOLUME_FILE_BROKEN, VOLUME_FILE_MISSING, Finding
from ngshare_fs.store.checking.verify import verify_volume_file
from ngshare_fs.store.errors import LockTimeout, StoreError
from ngshare_fs.store.repairing import volume_file
from ngshare_fs.store.repairing.step import Damage, Left, Step
from ngshare_fs.store.repairing.table import REPAIRS
from ngshare_fs.store.volume import Volume

_OF_VOLUME_FILE = (VOLUME_FILE_MISSING.code, VOLUME_FILE_BROKEN.code)


@dataclass(frozen=True)
class Untouched:
    """A finding about which nothing is done.

    Args:
        finding: what was found.
        reason: why, and what a person may do.
    """

    finding: Finding
    reason: str


@dataclass(frozen=True)
class VolumeFileStep:
    """The step that comes before the volume can be opened.

    Args:
        damage: what it is to mend.
        words: what would be done.
    """

    damage: Damage
    words: str

    def mend(self, by: str) -> None:
        """Do it; raises as `volume_file.write_anew`."""
        volume_file.write_anew(self.damage, by)


def volume_file_step(root: str) -> VolumeFileStep | Untouched | None:
    """What there is to do before all else, None where `ngshare.yaml` is there and can be understood."""
    finding = verify_volume_file(Path(root))
    if finding is None or finding.code not in _OF_VOLUME_FILE:
        return None
    damage = Damage(root, finding)
    try:
        return VolumeFileStep(damage, volume_file.check_can_be_written(damage))
    except Left as reason:
        return Untouched(finding, str(reason))


def plan(root: str, findings: Iterable[Finding]) -> Iterator[Step | Untouched]:
    """What there is to do about each of the findings; changes nothing.

    Args:
        root: the volume's folder, absolute.
        findings: of `verify`; notes, and what `volume_file_step` is for, are passed over.
    """
    planned = list(_planned(root, findings))
    # What is set aside is so together with what is wrong in it: in parts, nobody could make sense of it.
    whole = {step.target for step in planned if isinstance(step, Step) and step.goes_whole}
    for each in planned:
        damage = each.damage if isinstance(each, Step) else Damage(root, each.finding)
        target = each.target if isinstance(each, Step) else damage.place
        above = (target[:position] for position, letter in enumerate(target) if letter == "/")
        if not any(folder in whole for folder in above) and (isinstance(each, Step) or target not in whole):
            yield each


def _planned(root: str, findings: Iterable[Finding]) -> Iterator[Step | Untouched]:
    targets = set()
    for finding in findings:
        if finding.defect.is_note or finding.code in _OF_VOLUME_FILE:
            continue
        try:
            step = _step(Damage(root, finding))
        except Left as reason:
            yield Untouched(finding, str(reason))
        except OSError as error:
            yield Untouched(finding, f"it cannot be looked at: {error.strerror}")
        else:
            if step.target not in targets:
                targets.add(step.target)
                yield step


def _step(damage: Damage) -> Step:
    repair = REPAIRS[damage.finding.code]
    if repair.step is None:
        raise Left(f"{repair.words.removeprefix('no: ')}. To do: {damage.finding.defect.remedy}")
    return repair.step(damage)


def in_good_order(steps: Iterable[Step]) -> list[Step]:
    """What lies deep comes first: where a folder above gets another name, the paths below it are not true any more."""
    return sorted(steps, key=lambda step: -step.target.count("/"))


def carry_out(volume: Volume, step: Step, by: str) -> str | None:
    """Do one step.

    Args:
        by: who wants it.

    Returns:
        None, or why it was not done.
    """
    try:
        step.mend(volume, by)
    except Left as reason:
        return str(reason)
    except LockTimeout:
        return "somebody else held a lock for too long: run this again"
    except StoreError as error:
        return str(error)
    except OSError as error:
        where = f" ({os.path.relpath(error.filename, volume.root)})" if error.filename else ""
        return f"{error.strerror}{where}"
    return None


def write_down(volume: Volume, step: Step, by: str) -> None:
    """Write into the journal that a step was done."""
    damage = step.damage
    detail = f"{damage.finding.code} {damage.finding.path}"
    journal.record(volume, journal.Event("repair", by, "command", damage.course, detail=detail))
