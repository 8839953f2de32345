"""Zips as people make them, and as nobody should."""

import io
import stat
import struct
import zipfile
import zlib
from collections.abc import Mapping

FLAGS_IN_DIRECTORY, FLAGS_IN_HEAD = 8, 6


def zipped(files: Mapping[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A zip; a name that ends with `/` is a folder."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", method) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return made.getvalue()


def with_link(name: str, target: str) -> bytes:
    """A zip with a symbolic link."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        entry = zipfile.ZipInfo(name)
        entry.create_system, entry.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
        archive.writestr(entry, target)
    return made.getvalue()


def encrypted(name: str) -> bytes:
    """A zip that says that it is."""
    made = bytearray(zipped({name: b"secret"}))
    for mark, at in ((b"PK\3\4", FLAGS_IN_HEAD), (b"PK\1\2", FLAGS_IN_DIRECTORY)):
        made[made.index(mark) + at] |= 1
    return bytes(made)


def by_dos(name: str, content: bytes) -> bytes:
    """A zip with `\\` between folders, and a name in a code page."""
    return _one(name.replace("/", "\\").encode("cp437"), content, 0)


def by_a_mac(name: str, content: bytes) -> bytes:
    """A zip with a name in UTF-8 that does not say so."""
    return _one(name.encode("utf-8"), content, 3)


def of_many(count: int) -> bytes:
    """A zip whose directory has one entry so many times, each of a byte."""
    entry = _entry(b"x", b"1", 3)
    directory = entry * count
    head = _head(b"x", b"1")
    return head + directory + _end(min(count, 65_535), len(directory), len(head))


def lying(size: int) -> bytes:
    """A zip that says that its file takes less than it does."""
    content = bytes(size)
    packed = _deflated(content)
    made = bytearray(_one(b"x", content, 3, zipfile.ZIP_DEFLATED))
    assert packed in made
    for mark, at in ((b"PK\3\4", 22), (b"PK\1\2", 24)):
        struct.pack_into("<L", made, made.index(mark) + at, 10)
    return bytes(made)


def sharing(count: int, blocks: int) -> bytes:
    """A zip whose files share their content: so many blocks of nothing, and then a byte."""
    packed = b"\x00\x00\x00\xff\xff" * blocks + _deflated(b"1")
    said = (b"\x08\x00", struct.pack("<3L", zlib.crc32(b"1"), len(packed), 1))
    head = b"PK\3\4" + struct.pack("<2H", 20, 0) + said[0] + struct.pack("<2H", 0, 33) + said[1]
    start = b"PK\1\2" + struct.pack("<2B2H", 20, 3, 20, 0) + said[0] + struct.pack("<2H", 0, 33) + said[1]
    entry = start + struct.pack("<5H2L", 1, 0, 0, 0, 0, 0, 0) + b"x"
    whole = head + struct.pack("<2H", 1, 0) + b"x" + packed
    return whole + entry * count + _end(count, len(entry) * count, len(whole))


def _deflated(content: bytes) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return packer.compress(content) + packer.flush()


def _one(name: bytes, content: bytes, system: int, method: int = zipfile.ZIP_STORED) -> bytes:
    head, entry = _head(name, content, method), _entry(name, content, system, method)
    return head + entry + _end(1, len(entry), len(head))


def _head(name: bytes, content: bytes, method: int = zipfile.ZIP_STORED) -> bytes:
    packed = content if method == zipfile.ZIP_STORED else _deflated(content)
    sizes = struct.pack("<3L", zlib.crc32(content), len(packed), len(content))
    return (
        b"PK\3\4" + struct.pack("<5H", 20, 0, method, 0, 33) + sizes + struct.pack("<2H", len(name), 0) + name + packed
    )


def _entry(name: bytes, content: bytes, system: int, method: int = zipfile.ZIP_STORED) -> bytes:
    packed = content if method == zipfile.ZIP_STORED else _deflated(content)
    start = struct.pack("<2B5H", 20, system, 20, 0, method, 0, 33)
    sizes = struct.pack("<3L", zlib.crc32(content), len(packed), len(content))
    return b"PK\1\2" + start + sizes + struct.pack("<5H2L", len(name), 0, 0, 0, 0, 0, 0) + name


def _end(count: int, size: int, offset: int) -> bytes:
    return b"PK\5\6" + struct.pack("<4H2LH", 0, 0, count, count, size, offset, 0)
