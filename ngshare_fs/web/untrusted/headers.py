"""The headers under which content of others leaves."""

from urllib.parse import quote

from ngshare_fs.web.untrusted.file_names import safe_name

# No `allow-…`: no scripts, no forms, no new windows, no downloads, an origin that is nobody's. The rest says the same
# once more for whoever does not know `sandbox`, and keeps pictures, fonts and styles from being loaded from elsewhere,
# which would tell somebody who looks at what, and when.
SANDBOX = (
    "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; font-src data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)

# `Content-Type` and `Content-Disposition` come to these.
_OF_ALL = {
    "Content-Security-Policy": SANDBOX,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    # Looking up the hosts of a page's links would tell their owners that it is looked at.
    "X-DNS-Prefetch-Control": "off",
    "Cache-Control": "no-store",
}


def view_headers(content_type: str) -> dict[str, str]:
    """The headers of what is shown.

    Args:
        content_type: with its charset; chosen by us, never taken from a file.
    """
    return {**_OF_ALL, "Content-Type": content_type, "Content-Disposition": "inline"}


def attachment_headers(name: str, content_type: str = "application/octet-stream") -> dict[str, str]:
    """The headers of what is saved as a file, and never opened in the browser.

    Args:
        name: what somebody has called it; of a path, the last part counts.
        content_type: another one only for what we have made ourselves.
    """
    return {**_OF_ALL, "Content-Type": content_type, "Content-Disposition": _attachment(name)}


def _attachment(name: str) -> str:
    """The value of `Content-Disposition` (RFC 6266) for any name: in ASCII, and whole (RFC 8187)."""
    safe = safe_name(name.rpartition("/")[2])
    # Some browsers decode percent signs in the first form, and none agree about quoted pairs: it has neither.
    plain = "".join(letter if " " <= letter <= "~" and letter not in '"\\%' else "_" for letter in safe)
    if plain == safe:
        return f'attachment; filename="{plain}"'
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(safe, safe='')}"
