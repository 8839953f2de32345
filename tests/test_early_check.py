"""Who may not do something hears that, whatever their body holds and whenever it comes."""

import asyncio
import gzip
import json
import shutil
from pathlib import Path

from ngshare_fs.api.request.spill import LARGE_FILE
from ngshare_fs.store import course
from tests.signing_in import PREFIX, Service, service
from tests.trees import tree

__all__ = ["service"]  # a fixture
SECONDS = 60

URLENCODED = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data; boundary=B"
BODIES = {
    "work": (URLENCODED, f"files={tree({'p': b'x'})}".encode()),
    "no tree": (URLENCODED, b"files=1"),
    "no JSON": (URLENCODED, b"files=["),
    "no text": (URLENCODED, b"key=%ff"),
    "a field without a name": (URLENCODED, b"=1"),
    "a long text": (URLENCODED, b"key=" + b"x" * 100_000),
    "no multipart": (MULTIPART, b"x"),
    "nothing": (MULTIPART, b""),
    "no form": ("text/plain", b"x"),
}
MAY_NOT = {
    "submission/c/a": "Permission denied",
    "assignment/c/new": "Permission denied",
    "course/new": "Permission denied",
    "submission/own/none": "Assignment not found",
    "submission/none/a": "Course not found",
}


async def refusal(service: Service, path: str, kind: str, body: bytes, in_time: bool, more: str = "") -> str:
    """What Ada is told when the body comes with the head, or when its last byte never comes.

    Args:
        more: headers.
    """
    reader, writer = await asyncio.open_connection("127.0.0.1", service.client.port)
    head = f"POST {PREFIX}{path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: token server\r\n"
    head += f"Content-Type: {kind}\r\nContent-Length: {len(body)}\r\n{more}\r\n"
    writer.write(head.encode() + (body if in_time else body[:-1]))
    try:
        await reader.readuntil(b"\r\n\r\n")
        return str(json.loads(await asyncio.wait_for(reader.readuntil(b"}"), SECONDS))["message"])
    finally:
        writer.close()


async def test_a_refusal_does_not_depend_on_what_was_sent(service: Service) -> None:
    course.create(service.volume, "c", ["kevin"])
    course.create(service.volume, "own", ["ada"])
    for path, message in MAY_NOT.items():
        for name, (kind, body) in BODIES.items():
            said = await refusal(service, path, kind, body, in_time=True)
            assert said.partition(" (")[0] == message, (path, name)
            if body:
                assert said == await refusal(service, path, kind, body, in_time=False), (path, name)


async def test_what_a_stranger_sends_compressed_is_not_unpacked_onto_the_volume(service: Service) -> None:
    course.create(service.volume, "c", ["kevin"])
    body = gzip.compress(f"files={tree({'p': bytes(LARGE_FILE + 1)})}".encode())
    assert len(body) < 16 * 1024, "it comes at once"
    staging = Path(service.volume.root, ".ngshare/staging")
    shutil.rmtree(staging)
    staging.touch()  # whoever stages something hears that the volume fails
    said = await refusal(service, "submission/c/a", URLENCODED, body, in_time=True, more="Content-Encoding: gzip\r\n")
    assert said.startswith("Permission denied")


async def test_who_may_hears_what_is_wrong_with_the_body(service: Service) -> None:
    course.create(service.volume, "own", ["ada"])
    said = await refusal(service, "assignment/own/a", *BODIES["no multipart"], in_time=True)
    assert said == "Malformed request body"
