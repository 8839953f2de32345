"""`python -m tests.impatient_supervisor serve ...`: the real command, which gives up a hanging worker much sooner."""

import sys

from ngshare_fs.command.main import main
from ngshare_fs.server import supervisor

SILENT_LOOKS = 5

if __name__ == "__main__":
    supervisor.SILENT_LOOKS = SILENT_LOOKS
    sys.exit(main())
