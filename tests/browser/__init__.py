"""The pages in a real browser: everybody can use them, and pictures of them for the docs."""
