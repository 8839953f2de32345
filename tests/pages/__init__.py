"""What people look at in a browser, in the test's own process."""
