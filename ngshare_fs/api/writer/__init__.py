"""Where students' work is written: in a process beside the server's, or where there is none, in threads.

A write is some 30 system calls, and each lets go of the interpreter's lock and has to have it back. Beside an event
loop and 32 threads that want the same, that takes longer than the calls themselves.
"""

from ngshare_fs.api.writer.process import WriterOptions
from ngshare_fs.api.writer.starter import WriterStarter
from ngshare_fs.api.writer.write_scheduler import WriteScheduler

__all__ = ["WriteScheduler", "WriterOptions", "WriterStarter"]
