"""A real assignment goes out and comes back through a running server, with ngshare's own client.

`python -m examples.whole_cycle` shows it to a newcomer; `tests/others/test_old_client.py` is the same as a test.
"""
