"""The processes that serve: how they start, share a socket, log, end, and follow one another."""
