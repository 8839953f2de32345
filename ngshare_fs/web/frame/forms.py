"""What a form sends: read, and put into the fields that it declares."""

from collections.abc import Mapping
from urllib.parse import parse_qsl

from aiohttp import BodyPartReader, web
from aiohttp.http_exceptions import HttpProcessingError

from ngshare_fs.http import refusals
from ngshare_fs.http.pace import Pace
from ngshare_fs.http.refusals import Refused
from ngshare_fs.web.frame.page import Form, Page, UploadForm, Wrong

# The fields that each form has: which one it is, and what tells our own pages from those of others.
FORM = "form"
XSRF_FIELD = "_xsrf"
CONTENT_TYPE = "application/x-www-form-urlencoded"
WITH_FILES = "multipart/form-data"
# More than any form has; to take apart a million of them would hold up all other requests.
MOST_FIELDS = 1000
# What aiohttp raises where a body is not what it should be, and what decoding raises.
_MALFORMED = (web.RequestPayloadError, HttpProcessingError, ValueError, LookupError, RuntimeError, AssertionError)


async def read_form(request: web.Request, takes_files: bool = False) -> Mapping[str, str]:
    """The fields that came, as texts; of those that came twice, the first.

    Args:
        takes_files: whether small files may be among them, see `Field`.

    Raises:
        Refused: it is none, too slow, or too large: there may be 1 MiB.
    """
    # Not by `request.post()`: it writes what has a file's name to a temporary file, wherever that may be, and decodes
    # texts by whatever codec the request names, `unicode_escape` among them, which makes halves of characters.
    pace = Pace(request.client_max_size)
    try:
        if takes_files and request.content_type == WITH_FILES:
            return await _read_parts(request, pace)
        if request.content_type == CONTENT_TYPE:
            return await _read_pairs(request, pace)
    except _MALFORMED:
        pass
    raise Refused(refusals.MALFORMED_BODY)


async def _read_pairs(request: web.Request, pace: Pace) -> Mapping[str, str]:
    body = bytearray()
    while chunk := await pace.wait_for(request.content.readany()):
        pace.received(len(chunk))
        body += chunk
    sent: dict[str, str] = {}
    for name, text in parse_qsl(body.decode("utf-8"), keep_blank_values=True, max_num_fields=MOST_FIELDS):
        sent.setdefault(name, text)
    return sent


async def _read_parts(request: web.Request, pace: Pace) -> Mapping[str, str]:
    sent: dict[str, str] = {}
    reader, parts = await request.multipart(), 0
    while (part := await pace.next_part(reader)) is not None:
        parts += 1
        if parts > MOST_FIELDS or not isinstance(part, BodyPartReader):
            raise Refused(refusals.MALFORMED_BODY)
        content = bytearray()
        while chunk := await pace.wait_for(part.read_chunk()):
            pace.received(len(chunk))
            content += chunk
        sent.setdefault(part.name or "", content.decode("latin-1" if part.filename is not None else "utf-8"))
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
