"""Feedback lies in another submission than the one it is on."""

from pathlib import Path

from tests.volumes import ASSIGNMENT, COURSE, STUDENT, SUBMITTED_FILES, Plain, write_submission


def damage(plain: Plain) -> Path:
    names = (COURSE, ASSIGNMENT)
    later = write_submission(plain.course, names, STUDENT, "2020-02-01 00:00:00.000000 UTC", SUBMITTED_FILES)
    plain.feedback.parent.rename(later / "feedback")
    return later / "feedback" / plain.feedback.name / "manifest.yaml"
