"""The volume. Plain, synchronous, typed; it knows nothing of HTTP.

Its verbs are functions of the modules named after what they are about: `course`, `roster`, `assignment`, `dates`,
`release`, `submission`, `feedback`; each takes the open `Volume` first. What they take and give are the values below.
The rooms of this package are its own affair, but for `checking`, which has the checks of a volume.
"""

from ngshare_fs.store.errors import StoreError, VolumeError
from ngshare_fs.store.format.assignment_file import AssignmentFile, Extension
from ngshare_fs.store.format.course_file import Person, Roster
from ngshare_fs.store.format.course_groups import CourseGroups
from ngshare_fs.store.format.manifest import FEEDBACK, RELEASE, SUBMISSION, Manifest, StoredFile
from ngshare_fs.store.format.role import Role
from ngshare_fs.store.format.timestamp import Timestamp
from ngshare_fs.store.format.timestamp import of as timestamp_of
from ngshare_fs.store.format.tree_paths import check_path
from ngshare_fs.store.reading.cached_folders import Submission
from ngshare_fs.store.reading.tree import Tree, TreeState
from ngshare_fs.store.reading.volume_identity import identity_of
from ngshare_fs.store.volume import Volume
from ngshare_fs.store.writing.last_check import LastCheck, no_check
from ngshare_fs.store.writing.upload import IncomingFile, Upload

__all__ = [
    "FEEDBACK",
    "RELEASE",
    "SUBMISSION",
    "AssignmentFile",
    "CourseGroups",
    "Extension",
    "IncomingFile",
    "LastCheck",
    "Manifest",
    "Person",
    "Role",
    "Roster",
    "StoreError",
    "StoredFile",
    "Submission",
    "Timestamp",
    "Tree",
    "TreeState",
    "Upload",
    "Volume",
    "VolumeError",
    "check_path",
    "identity_of",
    "no_check",
    "timestamp_of",
]
