"""The devices to choose from: those that are here, by the names that people know them by."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from enum import StrEnum

from engine.plan.machine import Inventory
from engine.spec.choices import Device
from gui.settings.parameter_widgets import readable


def device_words(inventory: Inventory) -> Mapping[StrEnum, str]:
    """The choices and their words; without devices those that are on every machine."""
    cards = [each for each in inventory.usable if each.device is not Device.CPU]
    alike = Counter(card.name for card in cards)
    words: dict[StrEnum, str] = {each: readable(each) for each in (Device.AUTO, Device.CPU)}
    for card in sorted(cards, key=lambda card: card.device):
        alone = alike[card.name] == 1
        words[card.device] = card.name if alone else f"{card.device} · {card.name}"
    return words
