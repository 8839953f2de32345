"""What a form sends: read, and put into the fields that it declares."""

from collections.abc import Mapping

from aiohttp import BodyPartReader, web
from aiohttp.http_exceptions import HttpProcessingError

from ngshare_fs.http import refusals
from ngshare_fs.http.refusals import Refused
from ngshare_fs.web.page import Form, Page, UploadForm, Wrong

# The fields that each form has: which one it is, and what tells our own pages from those of others.
FORM = "form"
XSRF_FIELD = "_xsrf"
CONTENT_TYPE = "application/x-www-form-urlencoded"
WITH_FILES = "multipart/form-data"


async def read_form(request: web.Request, takes_files: bool = False) -> Mapping[str, str]:
    """The fields that came, as texts; of those that came twice, the first.

    Args:
        takes_files: whether small files may be among them, see `Field`.

    Raises:
        Refused: it is none, or too large: aiohttp takes 1 MiB.
    """
    if takes_files and request.content_type == WITH_FILES:
        return await _read_parts(request)
    if request.content_type != CONTENT_TYPE:
        raise Refused(refusals.MALFORMED_BODY)
    try:
        sent = await request.post()
    except web.HTTPRequestEntityTooLarge:
        raise Refused(refusals.TOO_LARGE) from None
    except (ValueError, LookupError):
        raise Refused(refusals.MALFORMED_BODY) from None
    return {name: str(sent.getone(name)) for name in sent}


async def _read_parts(request: web.Request) -> Mapping[str, str]:
    # Not by `request.post()`, which writes what has a file's name to a temporary file, wherever that may be.
    sent: dict[str, str] = {}
    left = request.client_max_size
    try:
        reader = await request.multipart()
        while (part := await reader.next()) is not None:
            if not isinstance(part, BodyPartReader):
                raise Refused(refusals.MALFORMED_BODY)
            content = bytearray()
            while chunk := await part.read_chunk():
                content += chunk
                if len(content) > left:
                    raise Refused(refusals.TOO_LARGE)
            left -= len(content)
            text = content.decode("latin-1" if part.filename is not None else "utf-8")
            sent.setdefault(part.name or "", text)
    except (ValueError, LookupError, RuntimeError, AssertionError, HttpProcessingError):
        raise Refused(refusals.MALFORMED_BODY) from None
    return sent


def form_of(declared: Page, sent: Mapping[str, str]) -> Form:
    """Which form of a page it is.

    Raises:
        Refused: none of them.
    """
    for form in declared.forms:
        if form.name == sent.get(FORM):
            return form
    raise Refused(refusals.MALFORMED_BODY)


def values_of(form: Form | UploadForm, sent: Mapping[str, str]) -> Mapping[str, str]:
    """The texts of a form's fields, as lines of one kind; what was not sent is empty."""
    texts = {field.name: sent.get(field.name, "") for field in form.fields}
    return {
        field.name: texts[field.name] if field.is_file else texts[field.name].replace("\r\n", "\n")
        for field in form.fields
    }


def check_values(form: Form | UploadForm, values: Mapping[str, str]) -> None:
    """Check what can be known without the action.

    Raises:
        Wrong: something is missing, or too long.
    """
    problems = {}
    for field in form.fields:
        text = values[field.name]
        if field.required and not text.strip():
            problems[field.name] = "wrong.missing"
        elif len(text) > field.longest:
            problems[field.name] = "wrong.too-long"
    if problems:
        raise Wrong(problems)
