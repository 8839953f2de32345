"""The command `ngshare-fs`: a module for each of its commands."""
