"""How far the host may run ahead of a device that works through a queue."""

from __future__ import annotations

from collections import deque
from typing import Protocol

import torch

_AHEAD = 2
"""Steps in flight: one that is worked on and one behind it, so that the device never waits. A
thousand would fit into its queue, and a person who presses Stop would wait for all of them."""


class _Event(Protocol):
    def record(self) -> object: ...
    def synchronize(self) -> object: ...


class Leash:
    """Holds the host until no more than two steps, the next included, are on their way.

    Args:
        device: That works through them; a CPU has done each when its call returns.
    """

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._marks: deque[_Event] = deque()

    def hold(self) -> None:
        """Before a step: wait until there is room for it."""
        while len(self._marks) >= _AHEAD:
            self._marks.popleft().synchronize()

    def mark(self) -> None:
        """After a step: remember where in the queue it ends."""
        event = _new_event(self._device)
        if event is not None:
            event.record()
            self._marks.append(event)


def _new_event(device: torch.device) -> _Event | None:
    match device.type:
        case "cuda":
            return torch.cuda.Event(blocking=True)  # type: ignore[no-untyped-call]
        case "mps":
            return torch.mps.Event()
    return None
