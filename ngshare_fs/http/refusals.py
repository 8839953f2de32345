"""Every refusal in one table: what it is, its HTTP status, and its message, which is part of the API."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from ngshare_fs.store import errors


class Refused(Exception):
    """A request is refused.

    Args:
        refusal: a row of the table.
        reason: what debug mode adds in parentheses.
        limits: what the answer has beside the message: limits that were passed, by their options.
        detail: what is added to the message, in parentheses.
    """

    def __init__(
        self,
        refusal: "Refusal",
        reason: str = "",
        limits: Mapping[str, int] = MappingProxyType({}),
        detail: str = "",
    ) -> None:
        super().__init__(refusal.message)
        self.refusal = refusal
        self.reason = reason
        self.limits = limits
        self.detail = detail

    def __reduce__(self) -> tuple[type["Refused"], tuple["Refusal", str, dict[str, int], str]]:
        return type(self), (self.refusal, self.reason, dict(self.limits), self.detail)


@dataclass(frozen=True)
class Refusal:
    """A row of the table.

    Args:
        status: HTTP status.
        message: what clients show.
        retry_after: seconds after which to try again, where that may help.
    """

    status: int
    message: str
    retry_after: int | None = None


NOT_SIGNED_IN = Refusal(403, "Please sign in")
UNKNOWN_TOKEN = Refusal(403, "JupyterHub does not know this token: restart your server, or sign in again")
NO_SCOPE = Refusal(403, "This token may not be used here")
UNKNOWN_SERVICE = Refusal(403, "This is the token of a service that is not let in; name it with --services")
NAMED_LIKE_A_SERVICE = Refusal(403, "User names that begin with service: are not let in")
CROSS_SITE = Refusal(403, "Not sent by a page of this service")
HUB_DOWN = Refusal(503, "JupyterHub does not answer, try again", retry_after=5)
NOBODY_NAMED = Refusal(403, "Please supply user")
PERMISSION_DENIED = Refusal(403, "Permission denied")
DEBUG_MODE_IS_OFF = Refusal(403, "Debug mode is off")
UNKNOWN_PATH = Refusal(404, "Not Found")
WRONG_METHOD = Refusal(405, "Method Not Allowed")
FAILURE = Refusal(500, "Internal Server Error")

COURSE_NOT_FOUND = Refusal(404, "Course not found")
COURSE_EXISTS = Refusal(409, "Course already exists")
ASSIGNMENT_NOT_FOUND = Refusal(404, "Assignment not found")
ASSIGNMENT_EXISTS = Refusal(409, "Assignment already exists")
INSTRUCTOR_NOT_FOUND = Refusal(404, "Instructor not found")
GRADER_NOT_FOUND = Refusal(404, "Grader not found")
STUDENT_NOT_FOUND = Refusal(404, "Student not found")
SUBMISSION_NOT_FOUND = Refusal(404, "Submission not found")
IS_INSTRUCTOR = Refusal(409, "Cannot add instructor as student")
INSTRUCTOR_AS_GRADER = Refusal(409, "Cannot add instructor as grader")
IS_GRADER = Refusal(409, "Cannot add grader as student")
CANNOT_MODIFY_INSTRUCTORS = Refusal(400, "Permission denied (cannot modify instructors)")
OTHER_INSTRUCTORS = Refusal(403, "Permission denied (only an admin may name other instructors)")
CANNOT_MODIFY_OTHERS = Refusal(400, "Permission denied (cannot modify other instructors)")

INSTRUCTORS_NOT_JSON = Refusal(400, "Instructors cannot be JSON decoded")
NO_FIRST_NAME = Refusal(400, "Please supply first name")
NO_LAST_NAME = Refusal(400, "Please supply last name")
NO_EMAIL = Refusal(400, "Please supply email")
NO_STUDENTS = Refusal(400, "Please supply students")
STUDENTS_NOT_JSON = Refusal(400, "Students cannot be JSON decoded")
WRONG_FORMAT = Refusal(400, "Incorrect request format")
NO_TIMESTAMP = Refusal(400, "Please supply timestamp")
WRONG_TIMESTAMP = Refusal(400, "Time format incorrect")
WRONG_ACTION = Refusal(400, "action should be clear, init, or dump")

WRONG_KEY = Refusal(400, "Malformed key")
KEY_USED = Refusal(409, "Key belongs to a submission of other files")

ASSIGNMENT_CLOSED = Refusal(403, "Assignment is closed")
WRONG_DATES = Refusal(400, "Wrong dates")
WRONG_REASON = Refusal(400, "The reason has to be one line of at most 200 characters")
EXTENSION_NOT_FOUND = Refusal(404, "Extension not found")

NO_FILES = Refusal(400, "Please supply files")
FILES_NOT_JSON = Refusal(400, "Files cannot be JSON decoded")
ILLEGAL_PATH = Refusal(400, "Illegal path")
NOT_BASE64 = Refusal(400, "Content cannot be base64 decoded")
WRONG_CHECKSUM = Refusal(400, "Checksum does not match")
TOO_LARGE = Refusal(413, "Request too large")
MAX_FILES = "max_files"
MAX_REQUEST = "max_request"
MALFORMED_URL = Refusal(400, "Malformed URL: percent-encoded UTF-8 is expected")
MALFORMED_BODY = Refusal(400, "Malformed request body")
MALFORMED_FIELD = Refusal(400, "Malformed request: a field has no name, or control characters in it")
MALFORMED_TEXT = Refusal(400, "Malformed request: percent-encoded UTF-8 is expected")
TWO_AUTHORIZATIONS = Refusal(400, "Malformed request: more than one Authorization header")
HEAD_TOO_LARGE = Refusal(431, "Request headers too large")
TOO_MUCH_AT_ONCE = Refusal(503, "Too many large requests at once, try again", retry_after=5)
TOO_MUCH_OF_ONE = Refusal(503, "Too many large requests of one user at once, try again", retry_after=5)
TOO_SLOW = Refusal(408, "Request body did not arrive in time")

VOLUME_FULL = Refusal(507, "Insufficient storage")
QUOTA_REACHED = Refusal(507, "Quota reached")
QUOTA_VOLUME, QUOTA_COURSE, QUOTA_STUDENT = "quota_volume", "quota_course", "quota_student"
USED = "used"
VOLUME_READ_ONLY = Refusal(503, "Storage is read-only", retry_after=30)
VOLUME_FAILURE = Refusal(503, "Storage failure", retry_after=30)
DAMAGED = Refusal(500, "Stored files are damaged")
BROKEN_MANIFEST = Refusal(503, "Course data cannot be read; ask your administrator to run `ngshare-fs verify`", 60)
INTERRUPTED = Refusal(503, "Interrupted while it was stored; look whether it is there, or try again", retry_after=2)
BUSY = Refusal(503, "Busy, try again", retry_after=2)

# What the store raises, most of which needs no word from any handler.
OF_STORE_ERROR: dict[type[errors.StoreError], Refusal] = {
    errors.CourseNotFound: COURSE_NOT_FOUND,
    errors.CourseExists: COURSE_EXISTS,
    errors.AssignmentNotFound: ASSIGNMENT_NOT_FOUND,
    errors.AssignmentExists: ASSIGNMENT_EXISTS,
    errors.InstructorNotFound: INSTRUCTOR_NOT_FOUND,
    errors.GraderNotFound: GRADER_NOT_FOUND,
    errors.StudentNotFound: STUDENT_NOT_FOUND,
    errors.SubmissionNotFound: SUBMISSION_NOT_FOUND,
    errors.IsInstructor: IS_INSTRUCTOR,
    errors.IsGrader: IS_GRADER,
    errors.KeyUsed: KEY_USED,
    errors.IllegalPath: ILLEGAL_PATH,
    errors.WrongDates: WRONG_DATES,
    errors.AssignmentClosed: ASSIGNMENT_CLOSED,
    errors.BrokenManifest: BROKEN_MANIFEST,
    errors.Unreadable: BROKEN_MANIFEST,
    errors.DamagedTree: DAMAGED,
    errors.LockTimeout: BUSY,
    errors.LockLost: BUSY,
    errors.Interrupted: INTERRUPTED,
    errors.VolumeFull: VOLUME_FULL,
    errors.VolumeReadOnly: VOLUME_READ_ONLY,
    errors.VolumeFailure: VOLUME_FAILURE,
}
# Of these, the text is for whoever asks: which date it is, and what to do.
SAYING_WHY = (errors.WrongDates, errors.AssignmentClosed)
