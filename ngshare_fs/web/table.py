"""All pages, and what else they hand out."""

from ngshare_fs.web.admin.course_changes import DELETE as DELETE_COURSE
from ngshare_fs.web.admin.course_changes import RENAME as RENAME_COURSE
from ngshare_fs.web.admin.courses import COURSES
from ngshare_fs.web.admin.health import HEALTH
from ngshare_fs.web.admin.journal import JOURNAL, JOURNAL_CSV
from ngshare_fs.web.admin.new_course import NEW_COURSE
from ngshare_fs.web.admin.trash import EMPTY as EMPTY_TRASH
from ngshare_fs.web.admin.trash import RESTORE as RESTORE_ANY
from ngshare_fs.web.admin.trash import TRASH as TRASH_OF_ALL
from ngshare_fs.web.admin.volume import VOLUME
from ngshare_fs.web.download import Download
from ngshare_fs.web.home import HOME
from ngshare_fs.web.instructor.trash import RESTORE, TRASH
from ngshare_fs.web.page import Page
from ngshare_fs.web.student.assignment import ASSIGNMENT
from ngshare_fs.web.student.course import COURSE
from ngshare_fs.web.student.release_file import RELEASE_FILE

PAGES: tuple[Page, ...] = (
    HOME,
    COURSE,
    ASSIGNMENT,
    TRASH,
    RESTORE,
    NEW_COURSE,
    COURSES,
    RENAME_COURSE,
    DELETE_COURSE,
    VOLUME,
    HEALTH,
    JOURNAL,
    TRASH_OF_ALL,
    RESTORE_ANY,
    EMPTY_TRASH,
)  # fmt: skip
DOWNLOADS: tuple[Download, ...] = (
    RELEASE_FILE,
    JOURNAL_CSV,
)  # fmt: skip
