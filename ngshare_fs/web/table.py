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
from ngshare_fs.web.frame.download import Download
from ngshare_fs.web.frame.page import Page
from ngshare_fs.web.home import HOME
from ngshare_fs.web.instructor.assignment.delete_assignment import DELETE_ASSIGNMENT
from ngshare_fs.web.instructor.assignment.extensions import EXTENSIONS, TAKE_BACK_EXTENSION
from ngshare_fs.web.instructor.assignment.manage import MANAGE
from ngshare_fs.web.instructor.assignment.release import RELEASE, RELEASE_ANEW, RELEASE_NEW
from ngshare_fs.web.instructor.assignment.set_dates import SET_DATES
from ngshare_fs.web.instructor.assignment.take_back import TAKE_BACK
from ngshare_fs.web.instructor.class_work.class_csv import CLASS_CSV
from ngshare_fs.web.instructor.class_work.class_table import CLASS
from ngshare_fs.web.instructor.class_work.class_zip import CLASS_ZIP
from ngshare_fs.web.instructor.class_work.collect import COLLECT
from ngshare_fs.web.instructor.class_work.student import STUDENT
from ngshare_fs.web.instructor.roster.change import ROSTER_CHANGE
from ngshare_fs.web.instructor.roster.entry import ROSTER_ENTRY
from ngshare_fs.web.instructor.roster.members import ROSTER
from ngshare_fs.web.instructor.roster.removal import ROSTER_REMOVAL
from ngshare_fs.web.instructor.trash import RESTORE, TRASH
from ngshare_fs.web.student.assignment import ASSIGNMENT
from ngshare_fs.web.student.course import COURSE
from ngshare_fs.web.student.feedback import FEEDBACK
from ngshare_fs.web.student.feedback_files import FEEDBACK_FILE, FEEDBACK_VIEW, FEEDBACK_ZIP
from ngshare_fs.web.student.hand_in import HAND_IN
from ngshare_fs.web.student.receipt import RECEIPT, RECEIPT_JSON
from ngshare_fs.web.student.release_files import RELEASE_FILE, RELEASE_VIEW, RELEASE_ZIP
from ngshare_fs.web.student.submission_files import SUBMISSION_FILE, SUBMISSION_VIEW, SUBMISSION_ZIP
from ngshare_fs.web.student.submissions import SUBMISSIONS

PAGES: tuple[Page, ...] = (
    HOME,
    COURSE,
    ASSIGNMENT,
    HAND_IN,
    SUBMISSIONS,
    RECEIPT,
    FEEDBACK,
    CLASS,
    STUDENT,
    COLLECT,
    MANAGE,
    RELEASE,
    RELEASE_NEW,
    RELEASE_ANEW,
    SET_DATES,
    EXTENSIONS,
    TAKE_BACK_EXTENSION,
    TAKE_BACK,
    DELETE_ASSIGNMENT,
    ROSTER,
    ROSTER_ENTRY,
    ROSTER_CHANGE,
    ROSTER_REMOVAL,
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
    RELEASE_VIEW,
    RELEASE_ZIP,
    SUBMISSION_FILE,
    SUBMISSION_VIEW,
    SUBMISSION_ZIP,
    RECEIPT_JSON,
    FEEDBACK_FILE,
    FEEDBACK_VIEW,
    FEEDBACK_ZIP,
    CLASS_CSV,
    CLASS_ZIP,
    JOURNAL_CSV,
)  # fmt: skip
