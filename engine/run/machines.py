"""Settings and devices together: the machine that a plan is made for, and what else there is."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch

from engine.plan.machine import DeviceHere, Inventory, Machine
from engine.run import device_memory, devices
from engine.run.cards import cards, why_no_card
from engine.run.trial import proven
from engine.spec.choices import Device, NetworkName
from engine.spec.computing import Computing
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
    return machine_of(proven(devices.choose_computing(settings)), networks)


def machine_of(computing: Computing, networks: Mapping[NetworkName, Path]) -> Machine:
    """The machine that computes so, and its memory as it is now."""
    device = torch.device(computing.device)
    total, free = device_memory.memory_total(device), device_memory.memory_available(device)
    return Machine(computing, total, free, networks)


def inventory() -> Inventory:
    """The devices that a job could run on here, the one that `auto` takes first."""
    best = proven(devices.choose_computing(DEFAULTS))
    found = [DeviceHere(best.device, best.name, best.words)]
    for card in cards():
        device = Device.CUDA if len(cards()) == 1 else Device(f"cuda:{card.index}")
        if card.fault:
            found.append(DeviceHere(device, card.name, "", card.fault))
        elif device is not best.device:
            computing = devices.choose_computing(DEFAULTS.changed(device=device))
            found.append(DeviceHere(device, card.name, computing.words))
    if best.device is not Device.CPU:
        host = proven(devices.choose_computing(DEFAULTS.changed(device=Device.CPU)))
        found.append(DeviceHere(Device.CPU, host.name, host.words))
    return Inventory(tuple(found), why_no_card())
