"""All pages, and what else they hand out."""

from ngshare_fs.web.download import Download
from ngshare_fs.web.home import HOME
from ngshare_fs.web.instructor.class_csv import CLASS_CSV
from ngshare_fs.web.instructor.class_table import CLASS
from ngshare_fs.web.instructor.class_zip import CLASS_ZIP
from ngshare_fs.web.instructor.collect import COLLECT
from ngshare_fs.web.instructor.student import STUDENT
from ngshare_fs.web.page import Page
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
)  # fmt: skip
