"""Who is asking, and whether a browser asks on their behalf; the API and the pages use it alike."""
