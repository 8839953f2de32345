"""A disk that records what is asked of it; runs as a program of its own, and needs nothing but Python.

    python recording_disk.py IMAGE RECORD PLACE

serves the file IMAGE through FUSE as the one file PLACE, on which a loop device can stand, and appends every write and
every flush to RECORD before it is answered. So any moment of the disk's life can be had back later: see `disks.py`.

While the file PLACE.fails is there, writes and flushes fail, as those of a dying disk do. It ends when its standard
input does, so that it cannot outlive the test that started it.
"""

import ctypes
import errno
import os
import select
import stat
import struct
import sys

# A record: kind, offset, length; behind a write its data.
RECORD = struct.Struct("<cQI")
WRITE, FLUSH = b"W", b"F"

_REQUEST = struct.Struct("<IIQQIIIHH")  # length, operation, id, node, user, group, process, extensions, padding
_ANSWER = struct.Struct("<IiQ")  # length, error, id
_TRANSFER = struct.Struct("<QQIIQII")  # handle, offset, size, flags, owner, flags, padding: of reads and writes
_FORGET, _GETATTR, _SETATTR, _OPEN, _READ, _WRITE, _RELEASE = 2, 3, 4, 14, 15, 16, 18
_FSYNC, _CLOSE, _INIT, _INTERRUPT, _DESTROY, _FORGET_MANY = 20, 25, 26, 36, 38, 42
_ASYNC_READ, _BIG_WRITES, _MAX_PAGES = 1 << 0, 1 << 5, 1 << 22
_UNCACHED = 1  # every read and write of the loop device comes here at once
_LARGEST_TRANSFER = 2**20


class RecordingDisk:
    """Answers the kernel's requests one after the other.

    Args:
        image: the disk's content.
        record: the file of records.
        place: the file through which it is reached.
    """

    def __init__(self, image: str, record: str, place: str) -> None:
        self._image = os.open(image, os.O_RDWR | os.O_CLOEXEC)
        self._record = os.open(record, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        self._switch = place + ".fails"
        self._size = os.fstat(self._image).st_size
        self._kernel = os.open("/dev/fuse", os.O_RDWR | os.O_CLOEXEC)
        options = f"fd={self._kernel},rootmode={stat.S_IFREG:o},user_id=0,group_id=0,allow_other"
        system = ctypes.CDLL(None, use_errno=True)
        if system.mount(b"recording-disk", place.encode(), b"fuse", 0, options.encode()):
            raise OSError(ctypes.get_errno(), "mount", place)

    def serve(self) -> None:
        """Answer until the disk is unmounted or the standard input ends."""
        buffer = bytearray(_LARGEST_TRANSFER + 2**16)
        view = memoryview(buffer)
        poll = select.poll()
        poll.register(self._kernel, select.POLLIN)
        poll.register(sys.stdin.fileno(), select.POLLIN)
        while True:
            if any(descriptor != self._kernel for descriptor, _ in poll.poll()):
                return
            try:
                size = os.readv(self._kernel, [buffer])
            except OSError as error:
                if error.errno in (errno.EINTR, errno.ENOENT):  # the request was taken back
                    continue
                if error.errno == errno.ENODEV:
                    return
                raise
            _, operation, number, *_ = _REQUEST.unpack_from(buffer)
            if operation in (_FORGET, _FORGET_MANY, _INTERRUPT):
                continue
            try:
                said, problem = self._do(operation, view[_REQUEST.size : size]), 0
            except OSError as error:
                said, problem = b"", error.errno or errno.EIO
            os.writev(self._kernel, [_ANSWER.pack(_ANSWER.size + len(said), -problem, number), said])

    def _do(self, operation: int, body: memoryview) -> bytes:
        if operation == _WRITE:
            return self._write(body)
        if operation == _READ:
            _, offset, size, *_ = _TRANSFER.unpack_from(body)
            return os.pread(self._image, size, offset)
        if operation == _FSYNC:
            self._work_or_fail()
            os.write(self._record, RECORD.pack(FLUSH, 0, 0))
            return b""
        if operation in (_GETATTR, _SETATTR):
            return self._attributes()
        if operation == _OPEN:
            return struct.pack("<QIi", 0, _UNCACHED, 0)
        if operation == _INIT:
            return _introduction(body)
        if operation in (_RELEASE, _CLOSE, _DESTROY):
            return b""
        raise OSError(errno.ENOSYS, "not needed")

    def _write(self, body: memoryview) -> bytes:
        self._work_or_fail()
        _, offset, size, *_ = _TRANSFER.unpack_from(body)
        data = body[_TRANSFER.size : _TRANSFER.size + size]
        # By one call: whoever looks at the file's size sees whole records, or drops the last one.
        os.writev(self._record, [RECORD.pack(WRITE, offset, size), data])
        os.pwrite(self._image, data, offset)
        return struct.pack("<II", size, 0)

    def _work_or_fail(self) -> None:
        if os.path.exists(self._switch):
            raise OSError(errno.EIO, "the disk fails")

    def _attributes(self) -> bytes:
        times = (0,) * 3
        head = struct.pack("<QII", 3600, 0, 0)
        sizes = struct.pack("<QQQ3Q3I", 1, self._size, self._size // 512, *times, *times)
        return head + sizes + struct.pack("<7I", stat.S_IFREG | 0o600, 1, 0, 0, 0, 4096, 0)


def _introduction(body: memoryview) -> bytes:
    major, minor, ahead, _ = struct.unpack_from("<4I", body)
    flags = _ASYNC_READ | _BIG_WRITES | _MAX_PAGES
    requests = (64, 48)  # under way in the background; too many
    pages = _LARGEST_TRANSFER // 4096
    return struct.pack(
        "<4I2H2I2H8I", major, min(minor, 31), ahead, flags, *requests, _LARGEST_TRANSFER, 1, pages, *(0,) * 9
    )


if __name__ == "__main__":
    disk = RecordingDisk(*sys.argv[1:])
    print("ready", flush=True)
    disk.serve()
