"""Pages for instructors and graders: what needs action, a class at a glance, a student, what was handed in as a zip."""
