"""Measurements, run by hand (`python -m bench`, `python -m bench.processes`): what they gave is in `docs/`."""
