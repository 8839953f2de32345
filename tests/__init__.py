"""What must hold, by promise; and the real things it is tried on."""
