"""What is said where no window can be opened; knows no Qt, which may be what is missing."""

from __future__ import annotations

from engine.spec.errors import EngineError


def no_window(reason: str) -> EngineError:
    """The error for a window that cannot be opened, for a reason in one line."""
    return EngineError(
        f"No window can be opened: {reason.strip().rstrip('.')}.",
        "`gramarye render` works without one; see gramarye render --help.",
    )
