"""Pages for students: a course, an assignment with what they have handed in."""
