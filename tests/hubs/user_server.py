"""What a hub starts as a user's own server: it keeps the token it was given, and serves the pages of that user.

A notebook server does the same as far as our service is concerned, and takes much longer to start. Its user decides
what its pages do: they have the same origin as the service.
"""

import os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

TOKEN_FILE = "token.txt"
PAGES = "pages"


class Pages(BaseHTTPRequestHandler):
    """Answers `/user/NAME/x.html` with the file `pages/x.html` of the user's home, and all else with nothing."""

    def do_GET(self) -> None:
        page = Path(PAGES, Path(urlsplit(self.path).path).name)
        body = page.read_bytes() if page.is_file() else b""
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_HEAD = do_GET


def main() -> None:
    """Serve where the hub says."""
    # Written aside first: whoever sees the file sees all of it.
    Path(TOKEN_FILE + ".new").write_text(os.environ["JUPYTERHUB_API_TOKEN"])
    Path(TOKEN_FILE + ".new").rename(TOKEN_FILE)
    url = urlsplit(os.environ["JUPYTERHUB_SERVICE_URL"])
    assert url.port is not None
    ThreadingHTTPServer((url.hostname or "", url.port), Pages).serve_forever()


if __name__ == "__main__":
    main()
