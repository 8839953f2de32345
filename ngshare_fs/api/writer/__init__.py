"""Where students' work is written: in threads of this process, or in a process beside it when many hand in at once.

A write is some 30 system calls, and each lets go of the interpreter's lock and has to have it back. Beside an event
loop and 32 threads that want the same, that takes longer than the calls themselves.
"""

from ngshare_fs.api.writer.write_scheduler import WriteScheduler

__all__ = ["WriteScheduler"]
