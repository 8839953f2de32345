"""Who is asking, whether a browser asks on their behalf, and what they are in a course; for the API and the pages."""
