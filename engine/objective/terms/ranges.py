"""Powers of two that bring numbers near 1 before float16, whose normal range is 6e-5 to 65504."""

from __future__ import annotations

import math


def power_of_two(size: float) -> float:
    """The power of two nearest to a positive size; dividing by it rounds nothing.

    1 for what is no size: then there are no numbers, and whoever looks at the result sees to that.
    """
    if not 0 < size < math.inf:
        return 1.0
    return float(2.0 ** round(math.log2(size)))
