"""Which network a job sees with: the one asked for, or the draft network in its place."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from engine.spec.choices import NetworkName
from engine.weights import installed


@dataclass(frozen=True)
class NetworkChoice:
    """What came of looking for a network.

    Attributes:
        used: The network itself, never auto.
        stands_in: Whether that is the draft network only because VGG-19 is not there.
    """

    used: NetworkName
    stands_in: bool


def choose_network(wanted: NetworkName, *, draft: bool) -> NetworkChoice:
    """What a job uses; looks for files.

    Args:
        wanted: As the settings say.
        draft: Whether the draft network is to be used whatever they say.
    """
    found = installed.resolve_network(wanted)
    stands_in = wanted is NetworkName.AUTO and found is NetworkName.DRAFT
    return NetworkChoice(NetworkName.DRAFT if draft else found, stands_in)


def find_network(wanted: NetworkName, *, draft: bool) -> tuple[NetworkName, Path]:
    """The network a job uses and the file with its weights.

    Raises:
        NetworkMissingError: The weights are not there.
    """
    used = choose_network(wanted, draft=draft).used
    return used, installed.find_weights(used)


def published_network(wanted: NetworkName) -> NetworkName:
    """The network to download or locate where this one is wanted; the draft network is here."""
    ours = NetworkName.AUTO, NetworkName.DRAFT
    return NetworkName.VGG19 if wanted in ours else wanted
