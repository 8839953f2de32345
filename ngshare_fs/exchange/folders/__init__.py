"""What lies in the folders of those who work with nbgrader, and what it says of itself."""
