"""Moving in from ngshare 0.5 and 0.6: from its database and its files, or from a server of it by its API."""

# Who releases and feedback are by: ngshare keeps nobody's name on them.
IMPORTED_BY = "ngshare-import"


class NotNgshare(Exception):
    """What was named is nothing of ngshare's, or cannot be read. One line: what is wrong, and what to do."""
