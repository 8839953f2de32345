"""What lies on the volume, and where: what `docs/volume-format.md` says, in code."""
