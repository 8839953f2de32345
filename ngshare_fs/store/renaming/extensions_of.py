"""The name of a person in the dates of an assignment: whose extension it is, and who gave one."""

from collections.abc import Mapping
from dataclasses import replace

from ngshare_fs.store.format.assignment_file import AssignmentFile, Extension, later


def names(file: AssignmentFile, user: str) -> bool:
    """Whether the name stands there."""
    return user in file.extensions or any(given.by == user for given in file.extensions.values())


def renamed(file: AssignmentFile, old: str, new: str) -> AssignmentFile:
    """The same with another name. Where both have an extension, the later dates count."""
    extensions = {
        student: replace(given, by=new) if given.by == old else given for student, given in file.extensions.items()
    }
    if old in extensions:
        moved = extensions[old]
        if new in extensions:
            del extensions[old]
            extensions[new] = _together(extensions[new], moved)
        else:
            extensions = {new if student == old else student: given for student, given in extensions.items()}
    return replace(file, extensions=extensions)


def given_by(file: AssignmentFile, user: str, placeholder: str) -> AssignmentFile:
    """The same with another word for who gave an extension, where that is a certain user."""
    extensions: Mapping[str, Extension] = {
        student: replace(given, by=placeholder) if given.by == user else given
        for student, given in file.extensions.items()
    }
    return replace(file, extensions=extensions)


def _together(one: Extension, other: Extension) -> Extension:
    return Extension(
        later(one.due, other.due),
        later(one.close, other.close),
        one.reason or other.reason,
        one.by or other.by,
        one.at or other.at,
        {**other.more, **one.more},
    )
