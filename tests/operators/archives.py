"""Archives written by hand, from nothing but `docs/volume-format.md`: right ones, and what can be made of them."""

import hashlib
import io
import subprocess
import tarfile
from collections.abc import Mapping, Sequence
from pathlib import Path

COURSE = "math"
# In the order in which they have to come; a folder has no content.
RIGHT: dict[str, bytes | None] = {
    "courses/math": None,
    "courses/math/course.yaml": b"course: math\ninstructors:\n  kevin:\n",
    "courses/math/assignments": None,
    "journal/courses/math": None,
    "journal/courses/math/2020-01.5f3a9c01.jsonl": b'{"time": "2020-01-31 09:00:00.004711 UTC"}\n',
}


def described(entries: Mapping[str, bytes | None], **changes: str) -> bytes:
    """An `archive.yaml` of what follows it."""
    files = [content for content in entries.values() if content is not None]
    said = {
        "archive": "1",
        "program": "somebody else's 3.0",
        "layout": "2",
        "course": COURSE,
        "time": "2020-06-01 12:00:00.000000 UTC",
        "by": "root",
        "assignments": "0",
        "releases": "0",
        "submissions": "0",
        "feedback": "0",
        "folders": str(len(entries) - len(files)),
        "files": str(len(files)),
        "size": str(sum(map(len, files))),
    }
    return "".join(f"{key}: {value}\n" for key, value in {**said, **changes}.items() if value).encode()


def sums(files: Mapping[str, bytes | None]) -> bytes:
    """A `SHA256SUMS`."""
    lines = [
        f"{hashlib.sha256(content).hexdigest()}  {path}\n" for path, content in files.items() if content is not None
    ]
    return "".join(lines).encode()


def member(path: str, content: bytes | None, **changes: object) -> tuple[tarfile.TarInfo, bytes | None]:
    """A member of a tar; `changes` are what its header says otherwise."""
    information = tarfile.TarInfo(path)
    information.type = tarfile.DIRTYPE if content is None else tarfile.REGTYPE
    information.size = len(content or b"")
    for name, value in changes.items():
        setattr(information, name, value)
    return information, content


def members(entries: Mapping[str, bytes | None], **changes: str) -> list[tuple[tarfile.TarInfo, bytes | None]]:
    """All of an archive, with what it says at its beginning and its end."""
    whole = {"archive.yaml": described(entries, **changes), **entries}
    return [member(path, content) for path, content in {**whole, "SHA256SUMS": sums(whole)}.items()]


def tar(of: Sequence[tuple[tarfile.TarInfo, bytes | None]]) -> bytes:
    """A tar."""
    file = io.BytesIO()
    for information, content in of:
        file.write(information.tobuf(tarfile.PAX_FORMAT))
        if content:
            file.write(content + bytes(-len(content) % 512))
    file.write(bytes(1024))
    return file.getvalue()


def compressed(content: bytes) -> bytes:
    """The same in Zstandard, with a checksum."""
    return subprocess.run(["zstd", "-q", "--check"], input=content, capture_output=True, check=True).stdout


def write(path: Path, content: bytes) -> Path:
    """A file with an archive."""
    path.write_bytes(compressed(content))
    return path
