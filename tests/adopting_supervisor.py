"""`python -m tests.adopting_supervisor serve ...`: the real command; like process 1 it gets what its children leave."""

import ctypes
import sys

from ngshare_fs.command.main import main

SET_CHILD_SUBREAPER = 36  # of prctl(2)

if __name__ == "__main__":
    ctypes.CDLL(None).prctl(SET_CHILD_SUBREAPER, 1)
    sys.exit(main())
