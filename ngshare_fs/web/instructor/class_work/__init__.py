"""A class at a glance: what needs action, who has handed in what, a student, all of it as a zip."""
