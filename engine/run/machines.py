"""Settings and devices together: the machine that a plan is made for, and what else there is."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from enum import Enum, auto
from functools import cache
from pathlib import Path

import torch

from engine.plan.machine import DeviceHere, Inventory, Machine
from engine.run import device_memory, devices
from engine.run.cards import Card, cards, why_no_card
from engine.run.trial import checked, is_only_slower, known, proven
from engine.spec.choices import Device, NetworkName, Precision
from engine.spec.computing import Computing, Rung
from engine.spec.errors import EngineError
from engine.spec.settings import DEFAULTS, Settings


def machine_for(settings: Settings, networks: Mapping[NetworkName, Path]) -> Machine:
    """What a plan must know of the place where these settings put a job.

    A device is tried before it is used for the first time, which takes seconds.

    Args:
        settings: Their device and precision are looked at.
        networks: The files with network weights that are here.

    Raises:
        EngineError: What is asked for by name is not here.
    """
    asked = devices.choose_computing(settings)
    computing = proven(asked)
    if settings.precision is not Precision.AUTO and is_only_slower(computing):
        computing = asked  # whoever names it wants it
    return machine_of(computing, networks)


def machine_of(computing: Computing, networks: Mapping[NetworkName, Path]) -> Machine:
    """The machine that computes so, and its memory as it is now."""
    device = torch.device(computing.device)
    total, free = device_memory.memory_total(device), device_memory.memory_available(device)
    return Machine(computing, total, free, networks)


class Trials(Enum):
    """Which devices an inventory tries."""

    NONE = auto()
    FIRST = auto()
    """The one that `auto` takes, where it was never tried."""

    ALL = auto()
    """Every one, whatever is known of it."""


def inventory(trials: Trials) -> Inventory:
    """The devices that a job could run on here, the one that `auto` takes first."""
    chosen = devices.choose_computing(DEFAULTS)

    @cache
    def judged(computing: Computing) -> Computing | None:
        if trials is Trials.ALL:
            with contextlib.suppress(EngineError):
                return checked(computing)
        if trials is Trials.FIRST and computing == chosen:
            return proven(computing)
        return known(computing)

    first = judged(chosen)
    here = [_refused(card) for card in cards() if card.fault]
    for device in _usable():
        asked = devices.choose_computing(DEFAULTS.changed(device=device))
        # A CPU that stands in for a card computes as that one's trial has left it.
        stands_in = first is not None and first.device is device
        here.append(_device_here(asked, first if stands_in else judged(asked)))
    taken = (first or chosen).device
    here.sort(key=lambda each: each.device is not taken)
    given_up = [f"{each.words}." for each in here if each.fault and each.device is chosen.device]
    return Inventory(tuple(here), why_no_card() or "".join(given_up))


def _usable() -> Iterator[Device]:
    """The names of what can be asked for."""
    for card in cards():
        if not card.fault:
            yield _name_of(card)
    if torch.backends.mps.is_available():
        yield Device.MPS
    yield Device.CPU


def _name_of(card: Card) -> Device:
    return Device.CUDA if torch.cuda.device_count() == 1 else Device(f"cuda:{card.index}")


def _refused(card: Card) -> DeviceHere:
    return DeviceHere(_name_of(card), card.name, card.total, card.free, None, fault=card.fault)


def _device_here(asked: Computing, verdict: Computing | None) -> DeviceHere:
    """A device that torch can use, and what came of its trial if there was one."""
    device = torch.device(asked.device)
    reasons = [lost.reason for lost in (verdict or asked).given_up if lost.rung is Rung.DEVICE]
    fault = ""
    if verdict is not None and verdict.device is not asked.device:
        fault = f"{reasons[-1]} when it was tried; a newer driver may help"
    return DeviceHere(
        asked.device,
        asked.name,
        device_memory.memory_total(device),
        device_memory.memory_available(device),
        verdict or asked,
        tried=verdict is not None,
        fault=fault,
    )
