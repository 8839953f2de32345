"""How single files are opened and looked up, whatever stands there and whoever replaces it meanwhile."""
