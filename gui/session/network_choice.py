"""Which network a job sees with: the one asked for, or the draft network in its place."""

from __future__ import annotations

from dataclasses import dataclass

from engine.plan.resolve import choose_network
from engine.spec.choices import NetworkName
from engine.spec.request import Request
from engine.weights.installed import find_weights, networks_here


@dataclass(frozen=True)
class NetworkChoice:
    """What came of looking for a network.

    Attributes:
        used: The network itself, never auto.
        stands_in: Whether that is the draft network only because VGG-19 is not there.
    """

    used: NetworkName
    stands_in: bool


def network_of(request: Request) -> NetworkChoice:
    """What a request would use; looks for files."""
    wanted = request.settings.network
    used = choose_network(wanted, networks_here())
    return NetworkChoice(used, wanted is NetworkName.AUTO and used is NetworkName.DRAFT)


def refuse_without_weights(wanted: NetworkName) -> None:
    """Say at once that the weights of the network that would be used are not there.

    Raises:
        NetworkMissingError: They are not.
    """
    find_weights(choose_network(wanted, networks_here()))


def published_network(wanted: NetworkName) -> NetworkName:
    """The network to download or locate where this one is wanted; the draft network is here."""
    ours = NetworkName.AUTO, NetworkName.DRAFT
    return NetworkName.VGG19 if wanted in ours else wanted
