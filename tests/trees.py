"""Directory trees as clients send and read them."""

import base64
import hashlib
import json
from typing import Any


def tree(files: dict[str, bytes], wrapped: bool = False) -> str:
    """The JSON text of a directory tree; `wrapped` breaks base64 into lines, as some clients do."""
    encode = base64.encodebytes if wrapped else base64.b64encode
    return json.dumps(
        [
            {"path": path, "content": encode(content).decode(), "checksum": hashlib.md5(content).hexdigest()}
            for path, content in files.items()
        ]
    )


def contents(answer: dict[str, Any]) -> dict[str, bytes]:
    """The files of an answer by path, their checksums compared."""
    found = {}
    for file in answer["files"]:
        content = base64.b64decode(file["content"], validate=True)
        assert hashlib.md5(content).hexdigest() == file["checksum"]
        found[file["path"]] = content
    return found
