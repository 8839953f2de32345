"""What comes from the server: understood as it arrives, checked, and moved into place when whole."""
