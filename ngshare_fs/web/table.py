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
from ngshare_fs.web.student.release_file import RELEASE_FILE

PAGES: tuple[Page, ...] = (
    HOME,
    COURSE,
    ASSIGNMENT,
    CLASS,
    STUDENT,
    COLLECT,
)  # fmt: skip
DOWNLOADS: tuple[Download, ...] = (
    RELEASE_FILE,
    CLASS_CSV,
    CLASS_ZIP,
)  # fmt: skip
