"""One module for each finding of `verify`, carrying its code as its name: what can go wrong is `ls`.

Each has `damage(plain)`, which spoils a good volume in this one way and gives the path at which it has to be found.
"""
