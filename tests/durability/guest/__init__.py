"""A Linux of its own as a process of this one, for what this machine's kernel has no modules for; see `machine.py`."""
