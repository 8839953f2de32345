"""What students and instructors wrote, on its way to a browser: shown where it can do nothing, or handed out as a file.

All of it is hostile: names, contents, sizes. What is shown is in a page of its own without scripts, forms, frames and
anything from elsewhere (`headers`), and only what `views` lists; the rest is downloaded. Permissions are the pages'.
"""
