"""Where the networks' weights are found, and how they come to be there: imported or downloaded."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Final

from engine.spec.choices import NetworkName
from engine.spec.errors import EngineError, NetworkMissingError
from engine.spec.layers import network_title
from engine.spec.wording import plain
from engine.storage.naming import shown_name
from engine.storage.paths import data_folder
from engine.weights.downloads import Published, fetch
from engine.weights.files import refuse_unless_ordinary
from resources import DRAFT_NETWORK


@dataclass(frozen=True)
class _Known:
    """What the file that torchvision publishes is known by: its length in bytes, its SHA-256."""

    size: int
    sha256: str


_KNOWN: Final[Mapping[NetworkName, _Known]] = MappingProxyType(
    {
        NetworkName.VGG19: _Known(
            574_673_361, "dcbb9e9dad569fff7a846263a77324fc34978fea2bfb039c012d710e1776ae44"
        ),
        NetworkName.VGG16: _Known(
            553_433_881, "397923af8e79cdbb6a7127f12361acd7a2f83e06b05044ddf496e83de57a5bf0"
        ),
    }
)


@dataclass(frozen=True)
class Download:
    """What a download would fetch, to be shown before anyone agrees to it.

    Attributes:
        file: What torchvision publishes.
        destination: The file it becomes here, convolutions only.
    """

    file: Published
    destination: Path


def networks_here(
    wanted: NetworkName = NetworkName.AUTO, explicit: Path | None = None
) -> Mapping[NetworkName, Path]:
    """The files with network weights on this machine, each network's the one to use.

    Args:
        wanted: The network that `explicit` holds; where it is `auto`, that is VGG-19.
        explicit: A file that a person named for it.

    Raises:
        InputError: The file that was named does not exist, or is no ordinary file.
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
        InputError: The given file does not exist, or is no ordinary file.
        NetworkMissingError: No file was given and none was found.
    """
    if explicit is not None:
        refuse_unless_ordinary(explicit)
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
    origin = {
        "network": network.value,
        "source": shown_name(source),
        "source_sha256": weights.sha256,
    }
    write_weights(weights.tensors, destination, origin)
    return destination


def download_of(network: NetworkName) -> Download:
    """What `download_weights` would fetch; loads torchvision, so it takes seconds at first.

    Raises:
        EngineError: What torchvision publishes today is another file than we know.
    """
    from torchvision.models import (  # type: ignore[import-untyped]
        VGG16_Weights,
        VGG19_Weights,
    )

    url: str = {
        NetworkName.VGG19: VGG19_Weights.IMAGENET1K_V1,
        NetworkName.VGG16: VGG16_Weights.IMAGENET1K_V1,
    }[network].url
    known = _KNOWN[network]
    # torchvision names its files by how their hash begins.
    named = re.search(r"-([0-9a-f]{8,64})\.", _name_in(url))
    if named is None or not known.sha256.startswith(named[1]):
        raise EngineError(
            f"torchvision publishes {plain(_name_in(url))}, and this version of Gramarye knows "
            "another file.",
            "Update Gramarye, or import a file that you have.",
        )
    return Download(Published(url, known.size, known.sha256), _kept_as(network))


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
    arrived = download.destination.with_name(_name_in(download.file.url))
    fetch(download.file, arrived, progressed, cancelled)
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


def _name_in(url: str) -> str:
    return url.rpartition("/")[2]
