"""What is done about each finding: a row for each code of `FINDINGS`.

`docs/volume-format.md` has the same words in its table.
"""

from collections.abc import Callable
from dataclasses import dataclass

from ngshare_fs.store.checking import findings
from ngshare_fs.store.checking.findings import Defect
from ngshare_fs.store.repairing import access, rebuilding, renaming, trash_record, tree_files
from ngshare_fs.store.repairing.quarantine import set_aside
from ngshare_fs.store.repairing.step import Damage, Left, Step


@dataclass(frozen=True)
class Repair:
    """A row of the table.

    Args:
        words: what `repair` does about it, or why it does nothing.
        step: how; raises `Left` where this case is none for it. None where a backup or a person has to help.
    """

    words: str
    step: Callable[[Damage], Step] | None = None


def _before_opening(damage: Damage) -> Step:
    raise Left("that is done before the volume is opened")


_BACKUP = "no: only a backup has what was handed in; the manifest bears witness, and is never made to fit other content"
_TABLE: tuple[tuple[Defect, Repair], ...] = (
    (findings.VOLUME_FILE_MISSING, Repair("written anew, where nothing but a volume can be meant", _before_opening)),
    (findings.VOLUME_FILE_BROKEN, Repair("the same, unless it names a newer layout", _before_opening)),
    (findings.LAYOUT_NEWER, Repair("no: only the newer program knows that layout")),
    (
        findings.COURSE_FILE_MISSING,
        Repair(
            "set aside, if it has no `assignments` either; else left, for who teaches and takes it stands nowhere else",
            renaming.folder_without_course,
        ),
    ),
    (findings.COURSE_FILE_BROKEN, Repair("no: what was meant its writer knows; the last version goes on counting")),
    (
        findings.ASSIGNMENT_FILE_BROKEN,
        Repair("no: what was meant its writer knows; work is accepted meanwhile, whenever it comes"),
    ),
    (findings.DATES_DISORDERED, Repair("no: which of them was meant its writer knows")),
    (findings.EXTENSION_WITHOUT_DUE, Repair("no: what was meant its writer knows")),
    (findings.KEY_MISSPELT, Repair("no: what was meant its writer knows")),
    (findings.TWO_ROLES, Repair("no: which of the two was meant its writer knows")),
    (findings.NAME_NOT_CANONICAL, Repair("renamed as the rule says, if the place is free", renaming.as_name_says)),
    (
        findings.COURSE_DIFFERS,
        Repair("the folder's name is written behind `course:`; a cut one is renamed as the file says",
               renaming.course_as_named),
    ),
    (
        findings.ASSIGNMENT_DIFFERS,
        Repair("renamed as its releases say, if they agree and the place is free", renaming.as_releases_say),
    ),
    (findings.STUDENT_DIFFERS, Repair("no: whose work it is a person has to find out")),
    (
        findings.SUBMISSION_DIFFERS,
        Repair("moved to the submission that it names, if that is the same student's", renaming.to_its_submission),
    ),
    (findings.TIMESTAMP_DIFFERS, Repair("renamed as its manifest says, if the place is free", renaming.as_time_says)),
    (
        findings.KIND_DIFFERS,
        Repair("the kind is written, if all else in the manifest says the same as its place",
               rebuilding.with_the_kind_of_its_place),
    ),
    (
        findings.NOT_A_TIMESTAMP,
        Repair("renamed as its manifest says, if the place is free; else set aside", renaming.as_time_says_or_aside),
    ),
    (findings.RELEASE_MISSING, Repair("no: what students were to get a backup has, or the instructor")),
    (
        findings.MANIFEST_MISSING,
        Repair("rebuilt from the files that are there; a tree without files is set aside", rebuilding.from_files),
    ),
    (
        findings.MANIFEST_BROKEN,
        Repair("rebuilt from the files and what can still be read, if these agree", rebuilding.from_files),
    ),
    (
        findings.PATH_ILLEGAL,
        Repair("rebuilt without that entry, if all others are true", rebuilding.from_its_right_entries),
    ),
    (
        findings.PATH_TWICE,
        Repair("rebuilt with the entry that is true, if there is one", rebuilding.from_its_right_entries),
    ),
    (
        findings.FILE_MISSING,
        Repair("given its name back, if it is there under another one; else a backup has to help", tree_files.missing),
    ),
    (
        findings.FILE_EXTRA,
        Repair("given its name back, if it is a file that is missing; else set aside", tree_files.extra),
    ),
    (findings.SIZE_DIFFERS, Repair(_BACKUP)),
    (findings.CHECKSUM_DIFFERS, Repair(_BACKUP)),
    (
        findings.TRASH_FILE_MISSING,
        Repair("written anew, if what was deleted tells what it is", trash_record.from_what_was_deleted),
    ),
    (findings.TRASH_FILE_BROKEN, Repair("the same", trash_record.from_what_was_deleted)),
    (findings.JOURNAL_LINE_BROKEN, Repair("no: servers write on in that file, and nothing hangs on the line")),
    (findings.STRAY, Repair("set aside", set_aside)),
    (
        findings.SYMLINK,
        Repair("set aside, unless something of the volume belongs there, which it may lead to", access.link_aside),
    ),
    (findings.SPECIAL_FILE, Repair("set aside", set_aside)),
    (
        findings.UNREADABLE,
        Repair("its owner may read it again, if that is who runs this; what the disk refuses is set aside",
               access.readable_or_aside),
    ),
    (findings.REBUILT, Repair("no: nothing is wrong with it")),
)  # fmt: skip

REPAIRS = {defect.code: repair for defect, repair in _TABLE}
