"""Pages for instructors: assignments, their dates and extensions, the roster."""
