"""Where the networks' weights are found, and how they come to be there: imported or downloaded."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from engine.spec.choices import NetworkName
from engine.spec.errors import InputError, NetworkMissingError
from engine.spec.layers import network_title
from engine.storage.paths import data_folder
from engine.weights.downloads import fetch
from resources import DRAFT_NETWORK


@dataclass(frozen=True)
class Download:
    """What a download would fetch, to be shown before anyone agrees to it.

    Attributes:
        url: Where torchvision publishes the file.
        size: Its length in bytes, as torchvision states it (to about a kilobyte).
        digest: How its SHA-256 begins, hexadecimal.
        destination: The file it becomes here, convolutions only.
    """

    url: str
    size: int
    digest: str
    destination: Path


def networks_here(
    wanted: NetworkName = NetworkName.AUTO, explicit: Path | None = None
) -> Mapping[NetworkName, Path]:
    """The files with network weights on this machine, each network's the one to use.

    Args:
        wanted: The network that `explicit` holds; where it is `auto`, that is VGG-19.
        explicit: A file that a person named for it.

    Raises:
        InputError: The file that was named does not exist.
    """
    named = NetworkName.VGG19 if wanted is NetworkName.AUTO else wanted
    found = {}
    for network in (NetworkName.VGG19, NetworkName.VGG16, NetworkName.DRAFT):
        with contextlib.suppress(NetworkMissingError):
            found[network] = find_weights(network, explicit if network is named else None)
    return found


def networks_folder() -> Path:
    """Where imported and downloaded networks are kept: $GRAMARYE_NETWORKS, or the data folder."""
    chosen = os.environ.get("GRAMARYE_NETWORKS")
    return Path(chosen).expanduser() if chosen else _users_folder()


def find_weights(network: NetworkName, explicit: Path | None = None) -> Path:
    """The file of network weights to use: the given one, else from the folders, in their order.

    The draft network ships with the program.
    In a folder `vgg19.safetensors` comes first, then any `vgg19*.safetensors`, then `vgg19*.pth`.

    Raises:
        InputError: The given file does not exist.
        NetworkMissingError: No file was given and none was found.
    """
    if explicit is not None:
        if not os.path.isfile(explicit):
            raise InputError(f"There is no file {explicit}.", "Check the path of the weights.")
        return explicit
    if network is NetworkName.DRAFT:
        return DRAFT_NETWORK
    for folder in (networks_folder(), _users_folder()):
        for path in _candidates(folder, network):
            return path
    raise NetworkMissingError(
        f"The network weights of {network_title(network)} are not on this machine yet.",
        "In the window, download them or locate a file; on the command line, run "
        f"`gramarye weights download {network}` or `gramarye weights import FILE`, or give "
        "--weights FILE.",
    )


def import_weights(source: Path, network: NetworkName) -> Path:
    """Keep a network from a file: checked, convolutions only, as safetensors.

    Loads torch, which takes seconds the first time.

    Returns:
        The new file, which `find_weights` prefers from now on.

    Raises:
        InputError: The file is not this network, or the folder cannot be written to; whatever
            was kept before is still there.
    """
    from engine.weights.checkpoints import read_weights, write_weights

    weights = read_weights(source, network)
    destination = _kept_as(network)
    origin = {"network": network.value, "source": source.name, "source_sha256": weights.sha256}
    write_weights(weights.tensors, destination, origin)
    return destination


def download_of(network: NetworkName) -> Download:
    """What `download_weights` would fetch; loads torchvision, so it takes seconds at first."""
    from torchvision.models import (  # type: ignore[import-untyped]
        VGG16_Weights,
        VGG19_Weights,
    )

    published = {
        NetworkName.VGG19: VGG19_Weights.IMAGENET1K_V1,
        NetworkName.VGG16: VGG16_Weights.IMAGENET1K_V1,
    }[network]
    return Download(
        published.url,
        round(published.meta["_file_size"] * 2**20),
        _digest_in(published.url),
        _kept_as(network),
    )


def download_weights(
    network: NetworkName,
    progressed: Callable[[int, int], None],
    cancelled: Callable[[], bool],
) -> Path:
    """Fetch a network from where torchvision publishes it, and import it.

    Call this only when the person has asked for it. Arguments and errors are those of
    `engine.weights.downloads.fetch`; a broken or cancelled download goes on from there the next
    time.

    Returns:
        The new file, which `find_weights` prefers from now on.
    """
    download = download_of(network)
    arrived = download.destination.with_name(download.url.rpartition("/")[2])
    fetch(download.url, arrived, download.digest, progressed, cancelled)
    kept = import_weights(arrived, network)
    arrived.unlink(missing_ok=True)
    return kept


def _users_folder() -> Path:
    return data_folder() / "networks"


def _kept_as(network: NetworkName) -> Path:
    return networks_folder() / f"{network}.safetensors"


def _candidates(folder: Path, network: NetworkName) -> Iterator[Path]:
    for suffix in (".safetensors", ".pth"):
        found = folder.glob(f"{network}*{suffix}")
        for path in sorted(found, key=lambda path: (path.stem != network, path.name)):
            # torchvision's vgg19_bn is another architecture, normalised between its layers.
            if os.path.isfile(path) and not path.name.startswith(f"{network}_bn"):
                yield path


def _digest_in(url: str) -> str:
    """The beginning of the SHA-256 that torchvision puts into its file names."""
    found = re.search(r"-([0-9a-f]{8,})\.", url)
    assert found, "torchvision names its files by their hash"
    return found[1]
