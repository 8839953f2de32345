"""Moving in from ngshare 0.5 and 0.6: from its database and its files, or from a server of it by its API."""

from ngshare_fs.transfer import ForeignExchangeError

# Who releases and feedback are by: ngshare keeps nobody's name on them.
IMPORTED_BY = "ngshare-import"


class NotNgshare(ForeignExchangeError):
    """What was named is nothing of ngshare's, or cannot be read."""
