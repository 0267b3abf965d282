"""The graphics cards of this machine: which can be used, and why the others cannot."""

from __future__ import annotations

import functools
import logging
import os
import re
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

import torch

from engine.run.device_memory import is_out_of_memory, let_memory_grow, memory_available
from engine.spec.choices import Device
from engine.spec.wording import gigabytes

_LEAST_FREE = 2_000_000_000
"""Bytes that must be free on a card which nobody has asked for."""

_NO_ROOM = f"has less than {gigabytes(_LEAST_FREE)} free: close other programs that use it"

_WITHOUT_TENSOR_CORES = re.compile(r"\b(GTX|MX\d+|T\d{3,4})\b")
"""In the names of Turing's small chips, which multiply float16 no faster than float32."""

_SEVERAL = len([device for device in Device if device.value.startswith("cuda:")])
"""Cards that can be named."""

_lost: set[int] = set()
"""Cards that failed in this process: their driver does not come back to it."""


@dataclass(frozen=True)
class Card:
    """A graphics card with CUDA.

    Attributes:
        index: Its number.
        name: What its maker calls it.
        capability: Of computing, as (8, 9).
        total, free: Bytes of memory; none is free where it cannot be used.
        fault: Why it cannot be used, as a sentence goes on: "is too old ..."; empty if it can.
    """

    index: int
    name: str
    capability: tuple[int, int]
    total: int
    free: int
    fault: str = ""

    @property
    def bfloat16(self) -> bool:
        """Whether it computes bfloat16 in hardware; emulated, it is many times slower."""
        return self.capability >= (8, 0)

    @property
    def tensor_cores(self) -> bool:
        """Whether it has units for products of matrices in half precision."""
        if self.bfloat16:
            return True
        return self.capability >= (7, 0) and not _WITHOUT_TENSOR_CORES.search(self.name)


def cards() -> tuple[Card, ...]:
    """The cards that torch sees; a tiny operation is tried on each, once in a process."""
    if not torch.cuda.is_available():
        return ()
    return tuple(_card(index) for index in range(min(torch.cuda.device_count(), _SEVERAL)))


def best_card(among: tuple[Card, ...]) -> Card | None:
    """Of the cards that can be used, the one with most free memory."""
    usable = [card for card in among if not card.fault]
    return max(usable, key=lambda card: card.free, default=None)


def roomy(card: Card) -> bool:
    """Whether a card has the room for a job that did not ask for it."""
    return card.free >= _LEAST_FREE


def mark_lost(device: torch.device) -> None:
    """A card has failed; it is not used again in this process."""
    if device.type == "cuda":
        _lost.add(device.index or 0)


def is_lost(error: BaseException, device: torch.device) -> bool:
    """Whether an error says that a device has failed for good, for this process at least.

    Whichever library notices first may say so in words of its own; asked again, the card is clear.
    """
    if isinstance(error, torch.AcceleratorError):
        return True
    if device.type != "cuda" or not isinstance(error, RuntimeError):
        return False
    try:
        torch.cuda.synchronize(device)
    except RuntimeError:
        return True
    return False


def why_no_card() -> str:
    """Why no graphics card is used, and what to do, in a sentence or two; empty if there is none.

    It can be asked on every machine.
    """
    found = cards()
    if any(not card.fault and roomy(card) for card in found) or torch.backends.mps.is_available():
        return ""
    if found:
        card = best_card(found) or found[0]
        return f"{card.name} {card.fault or _NO_ROOM}."
    if not _driver_is_here():
        return ""
    if torch.version.cuda is None:
        return (
            "There is an NVIDIA card, but this build of torch computes on the CPU alone. Install "
            "torch with CUDA, as the README says."
        )
    return (
        "There is an NVIDIA card, but torch cannot use it: most likely its driver is older than "
        f"CUDA {torch.version.cuda} needs. Update the driver."
    )


def _card(index: int) -> Card:
    properties = torch.cuda.get_device_properties(index)
    capability = (properties.major, properties.minor)
    fault = "failed, and is used again once Gramarye is restarted" if index in _lost else ""
    fault = fault or _fault(index, capability)
    free = 0
    if not fault:
        try:
            free = memory_available(torch.device("cuda", index))
        except RuntimeError as error:
            fault = f"does not answer ({str(error).strip().splitlines()[0]})"
    return Card(index, properties.name, capability, properties.total_memory, free, fault)


@functools.cache
def _fault(index: int, capability: tuple[int, int]) -> str:
    """Why a card cannot run torch's kernels; empty if it can."""
    oldest = _oldest_capability()
    if capability < oldest:
        return (
            f"is too old for this build of torch, which begins at compute capability "
            f"{oldest[0]}.{oldest[1]} (this one has {capability[0]}.{capability[1]}); torch's "
            "build for CUDA 12.6 may still know it, as the README says"
        )
    let_memory_grow()
    try:
        numbers = torch.arange(8.0, device=torch.device("cuda", index))
        if float((numbers * 2).sum()) == 56:
            return ""
    except RuntimeError as error:
        if is_out_of_memory(error):
            return ""  # it runs, and how much is free is asked each time
        logging.getLogger(__name__).warning("Card %d cannot be used: %s", index, error)
        return f"cannot be used ({str(error).strip().splitlines()[0]}); a newer driver may help"
    return "gives wrong numbers; a newer driver may help"


def _oldest_capability() -> tuple[int, int]:
    """The oldest that this build of torch has kernels for; (0, 0) if it does not say."""
    found = [re.fullmatch(r"sm_(\d+)(\d)a?", name) for name in torch.cuda.get_arch_list()]
    return min(((int(one[1]), int(one[2])) for one in found if one), default=(0, 0))


def _driver_is_here() -> bool:
    """Whether there are signs of an NVIDIA driver, whatever torch can do with it."""
    if sys.platform == "win32":
        system = Path(os.environ.get("SYSTEMROOT", "C:/Windows")) / "System32"
        return (system / "nvcuda.dll").exists()
    return Path("/proc/driver/nvidia/version").exists() or shutil.which("nvidia-smi") is not None
