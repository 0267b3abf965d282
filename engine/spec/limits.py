"""Bounds that several parts of the program have to agree on."""

LONGEST_SIDE = 16384
"""Pixels on a side of the largest picture that is made, and of the largest tile."""

HEAVIEST = 1e6
"""The largest weight of a layer, a style image, or a term of the objective."""

WEAKEST = 1e-3
"""The least style strength by which the content weight is divided, as the greatest is a thousand.
Weights stay bounded, and strength 0 has no style and keeps the photograph as well as any above."""

LARGEST_RECORDED = 2**22
"""Pixels of an evaluation that a graphics card records and replays. A replay is one piece of work
to the card, which Windows resets if it takes seconds; and larger pictures keep it busy anyway."""
