"""From one layout of the volume to the next.

Each migration is a value in `table`; `upgrade` carries out those that a volume needs, one process at a time, and ends
well after it was cut off anywhere. A migration keeps what it replaces, in the trash.
"""
