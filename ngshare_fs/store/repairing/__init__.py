"""Mends a volume, one way of mending for each kind of damage.

Nothing is deleted: what is moved or replaced goes to quarantine, which is in the trash. What a mend takes for granted
is looked at once more before it is done: it is safe beside servers, and after a crash it may be begun anew.
"""
