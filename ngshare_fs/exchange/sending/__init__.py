"""What is sent of a folder: which files, under which names, and whether anything is missing."""
