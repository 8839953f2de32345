"""`python -m ngshare_fs` is the command `ngshare-fs`."""

import sys

from ngshare_fs.command.main import main

if __name__ == "__main__":
    sys.exit(main())
