"""Forms with files as browsers send them."""

import io
from collections.abc import Iterable, Mapping

from tests.conftest import Exchange
from tests.pages.browsing import Seen

BOUNDARY = "----WebKitFormBoundary7MA4YWxkTrZu0gW"
# The field of a file, its name and what is in it.
Sent = tuple[str, str, bytes]


def form_body(texts: Mapping[str, str], files: Iterable[Sent]) -> bytes:
    """A body as browsers write it: texts first, quotes and line ends of names percent-encoded."""
    written = []
    for name, text in texts.items():
        written.append(f'form-data; name="{name}"\r\n\r\n{text}'.encode())
    for name, filename, content in files:
        named = filename.replace("\n", "%0A").replace("\r", "%0D").replace('"', "%22")
        head = f'form-data; name="{name}"; filename="{named}"\r\nContent-Type: application/octet-stream\r\n\r\n'
        written.append(head.encode("utf-8", "surrogateescape") + content)
    start = b"--%b\r\nContent-Disposition: " % BOUNDARY.encode()
    return b"".join(start + part + b"\r\n" for part in written) + f"--{BOUNDARY}--\r\n".encode()


async def send_files(
    exchange: Exchange,
    address: str,
    texts: Mapping[str, str],
    files: Iterable[Sent],
    headers: Mapping[str, str] | None = None,
) -> Seen:
    """Send a form; redirects are not followed."""
    answer = await exchange.client.post(
        address,
        data=io.BytesIO(form_body(texts, files)),
        headers={"Content-Type": f"multipart/form-data; boundary={BOUNDARY}", **(headers or {})},
        allow_redirects=False,
    )
    return Seen(answer.status, await answer.text(), answer.headers)
