"""One volume that two machines have mounted, from each kind of file system that can be had here; see `volume.py`."""
