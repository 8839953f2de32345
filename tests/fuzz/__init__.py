"""Inputs that a search guided by coverage finds: each parser against another program that reads the same format.

A target is a module with `check(data)`, which raises where the parser is wrong about these bytes. `corpus/` keeps
inputs that reach much. `python -m tests.fuzz NAME` searches for more; with `--input BASE64` it tries that one.
"""
