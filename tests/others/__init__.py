"""Other people's software against the real server."""
