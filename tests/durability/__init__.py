"""Nothing acknowledged is lost: not when the server is killed, not when any single system call fails or is the last."""
