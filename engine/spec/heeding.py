"""How work that takes minutes hears, in the middle of it, that it is wanted no more."""

from __future__ import annotations

from collections.abc import Callable

Heed = Callable[[], None]
"""Called by long work between its parts, as often as it can; raises where it is to end at once.

Whoever calls it has changed nothing yet that cannot be given up.
"""


def heedless() -> None:
    """For work that goes through to its end."""
