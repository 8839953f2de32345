"""What `verify` can find, in one table: a code that never changes its meaning, what it means, and what to do about it.

`docs/volume-format.md` has the same table; `tests/damaged_volumes/` has a volume that suffers from each.
"""

from dataclasses import dataclass, field

from ngshare_fs.formats.one_line import in_one_line
from ngshare_fs.store.format.layout import LAYOUT


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong with a volume.

    Args:
        code: a key of `FINDINGS`.
        path: of the file or folder, relative to the volume; characters that a line cannot show are escaped.
        message: what is wrong with it, in one line.
        place: the same path as the system knows it.
    """

    code: str
    path: str
    message: str
    place: str = field(default="", compare=False)

    @property
    def defect(self) -> "Defect":
        """Its row in the table."""
        return FINDINGS[self.code]


@dataclass(frozen=True)
class Defect:
    """A row of the table.

    Args:
        code: a short word for it.
        meaning: what is wrong.
        remedy: what to do about it.
        is_note: whether nothing is wrong there; it is only to be known.
    """

    code: str
    meaning: str
    remedy: str
    is_note: bool = False

    def at(self, path: str, detail: str | None = None) -> Finding:
        """The finding that this is wrong there.

        Args:
            detail: what is known of this case.
        """
        message = f"{self.meaning} ({detail})" if detail else self.meaning
        return Finding(self.code, in_one_line(path), in_one_line(message), path)


_FROM_BACKUP = "restore it from a backup"

VOLUME_FILE_MISSING = Defect(
    "volume-file-missing", "`ngshare.yaml` is missing", f"write it; it holds one line, `layout: {LAYOUT}`"
)
VOLUME_FILE_BROKEN = Defect(
    "volume-file-broken",
    "`ngshare.yaml` cannot be understood, so no server starts",
    f"write it anew; it holds one line, `layout: {LAYOUT}`",
)
LAYOUT_NEWER = Defect(
    "layout-newer",
    "the layout is newer than this program, which judges no further",
    "use the ngshare-fs that wrote the volume",
)
COURSE_FILE_MISSING = Defect(
    "course-file-missing",
    "a course has no `course.yaml`, so it is not served",
    "restore or write it; if the folder is no course, move it elsewhere",
)
COURSE_FILE_BROKEN = Defect("course-file-broken", "a `course.yaml` cannot be understood", "mend the line that is named")
ASSIGNMENT_FILE_BROKEN = Defect(
    "assignment-file-broken",
    "an `assignment.yaml` cannot be understood, so nobody knows the dates",
    "mend the line that is named",
)
DATES_DISORDERED = Defect(
    "dates-disordered",
    "of the dates of an assignment, an earlier one is the later one",
    "write the date that was meant",
)
EXTENSION_WITHOUT_DUE = Defect(
    "extension-without-due",
    "somebody has an extension of a due date that the assignment has not",
    "write `due:`, or remove the extension",
)
KEY_MISSPELT = Defect(
    "key-misspelt",
    "a key means nothing, and looks like one that does",
    "write the key that was meant, or one that looks like none",
)
TWO_ROLES = Defect(
    "two-roles",
    "somebody has two roles in one course; the higher one counts, and what a group has brought never does",
    "remove one of the entries",
)
NAME_NOT_CANONICAL = Defect(
    "name-not-canonical",
    "no name leads to this folder, so nothing in it is served",
    "rename it as the rule for names says",
)
COURSE_DIFFERS = Defect(
    "course-differs",
    "the file names another course than the folder",
    "after renaming a course: write the new name behind `course:`; else move the folder to its place",
)
ASSIGNMENT_DIFFERS = Defect(
    "assignment-differs",
    "the file names another assignment than the folder, whose cut name or deletion needs it",
    "move the folder to its place",
)
STUDENT_DIFFERS = Defect(
    "student-differs",
    "the manifest names another student than the folder",
    "find out whose work it is; move the tree to its place, or write the name behind `student:`",
)
SUBMISSION_DIFFERS = Defect(
    "submission-differs", "feedback lies in another submission than its manifest names", "move the tree to its place"
)
TIMESTAMP_DIFFERS = Defect(
    "timestamp-differs", "the file has another timestamp than the folder", "rename the folder as the file says"
)
KIND_DIFFERS = Defect("kind-differs", "the manifest names another kind than belongs here", "move the tree to its place")
NOT_A_TIMESTAMP = Defect(
    "not-a-timestamp",
    "the folder's name is no timestamp, so nothing in it is served",
    "rename it as its manifest says, or move it elsewhere",
)
RELEASE_MISSING = Defect(
    "release-missing",
    "an assignment has no release, so students fetch nothing",
    "restore a release, or release it again by `PUT`",
)
MANIFEST_MISSING = Defect(
    "manifest-missing", "a tree has no `manifest.yaml`, so it cannot be served", "restore the tree from a backup"
)
MANIFEST_BROKEN = Defect("manifest-broken", "a `manifest.yaml` cannot be understood", _FROM_BACKUP)
PATH_ILLEGAL = Defect(
    "path-illegal",
    "the manifest lists a path that leads out of its tree, or that no tree can hold",
    "restore the manifest from a backup",
)
PATH_TWICE = Defect("path-twice", "the manifest lists a path twice", "restore the manifest from a backup")
FILE_MISSING = Defect("file-missing", "the manifest lists this file, and it is not there", _FROM_BACKUP)
FILE_EXTRA = Defect(
    "file-extra", "the manifest does not list this, so it is not served", "move it elsewhere, or restore the manifest"
)
SIZE_DIFFERS = Defect("size-differs", "the file has not the size of its manifest", _FROM_BACKUP)
CHECKSUM_DIFFERS = Defect("checksum-differs", "the file has not the checksum of its manifest", _FROM_BACKUP)
TRASH_FILE_MISSING = Defect(
    "trash-file-missing",
    "nothing says what was deleted here",
    "look into the folder; restore it by hand, or write the file",
)
TRASH_FILE_BROKEN = Defect("trash-file-broken", "a `trash.yaml` cannot be understood", "mend the line that is named")
JOURNAL_LINE_BROKEN = Defect(
    "journal-line-broken",
    "a line of the journal is no JSON object",
    "nothing hangs on it, and `log` leaves it out; mend or remove the line",
)
STRAY = Defect("stray", "it lies where nothing of the kind belongs, so it is not served", "move it elsewhere")
SYMLINK = Defect(
    "symlink",
    "a symbolic link; it was not followed",
    "move what it points to here; to spread a volume over disks, mount them",
)
SPECIAL_FILE = Defect("special-file", "neither a file nor a folder", "remove it")
UNREADABLE = Defect("unreadable", "it cannot be read", "mend owner and mode; where the disk fails, restore a backup")
REBUILT = Defect(
    "rebuilt",
    "`repair` made this manifest from the files that were there",
    "nothing; compare it with a backup if there is one",
    is_note=True,
)

FINDINGS = {defect.code: defect for defect in list(globals().values()) if isinstance(defect, Defect)}
