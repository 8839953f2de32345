"""When a volume was checked and backed up for the last time, for those who watch over it.

Both lie in the server's own folder, which copies leave out, so that what is restored claims neither.
"""

import contextlib
import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ngshare_fs.store.errors import StoreError
from ngshare_fs.store.format import layout, timestamp, verify_outcome
from ngshare_fs.store.format.verify_outcome import VerifyOutcome
from ngshare_fs.store.reading.yaml_file import read_once
from ngshare_fs.store.volume import Volume


@dataclass(frozen=True)
class LastRuns:
    """What is known; None where nothing is.

    Args:
        verified: when the last check of the whole volume ended, in seconds since 1970.
        findings: how many it had of each code; codes that it did not find are left out.
        backed_up: when the last backup was made, as far as its command leaves word of it.
    """

    verified: float | None
    findings: Mapping[str, int]
    backed_up: float | None


def last_runs(volume: Volume) -> LastRuns:
    """Read both. What cannot be read or understood is not known."""
    outcome = _outcome_in(volume.root)
    verified = None if outcome is None else timestamp.seconds_of(outcome.time)
    return LastRuns(verified, {} if outcome is None else outcome.findings, _time_of(volume.root))


def leave_outcome(root: Path, findings: Mapping[str, int]) -> None:
    """Leave word of a check of the whole volume that is over.

    Nothing is left where nobody serves the volume, as in a backup, nor where it cannot be written, or not by this user.

    Args:
        findings: how many there were of each code.
    """
    if not os.path.isdir(os.path.join(root, layout.PRIVATE)):
        return
    with contextlib.suppress(StoreError, OSError), contextlib.closing(Volume.open_existing(root)) as volume:
        outcome = VerifyOutcome(timestamp.now(), findings)
        with volume.publishing() as publication:
            publication.dirty.write_file(publication.staged, outcome.to_yaml())
            publication.publish(os.path.join(volume.root, layout.LAST_VERIFY))


def _outcome_in(root: str) -> VerifyOutcome | None:
    with contextlib.suppress(StoreError, OSError):
        return read_once(os.path.join(root, layout.LAST_VERIFY), verify_outcome.understand)
    return None


def _time_of(root: str) -> float | None:
    """When the file was touched that a backup touches once it is complete."""
    with contextlib.suppress(OSError):
        status = os.lstat(os.path.join(root, layout.LAST_BACKUP))
        if stat.S_ISREG(status.st_mode):
            return status.st_mtime
    return None
