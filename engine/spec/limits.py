"""Bounds that several parts of the program have to agree on."""

LONGEST_SIDE = 16384
"""Pixels on a side of the largest picture that is made, and of the largest tile."""

HEAVIEST = 1e6
"""The largest weight of a layer, a style image, or a term of the objective."""
