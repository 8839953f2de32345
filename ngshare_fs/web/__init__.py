"""What people look at in a browser: signing in, and pages."""
