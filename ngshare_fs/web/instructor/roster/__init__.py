"""The roster: who is in a course as what, and changes of it."""
