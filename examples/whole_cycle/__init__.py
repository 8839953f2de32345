"""A real assignment goes out and comes back through a running server, with nbgrader and its plug-ins.

`python -m examples.whole_cycle` shows it to a newcomer; `tests/test_whole_cycle.py` is the same as a test.
"""
