"""Pages for instructors and graders: a class at a glance, a student, assignments, their dates, the roster."""
