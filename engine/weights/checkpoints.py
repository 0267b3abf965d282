"""Files of network weights to named convolutions and back, taking no file at its word."""

from __future__ import annotations

import hashlib
import pickle
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import torch
from safetensors import safe_open
from safetensors.torch import load, load_file, save
from torch import Tensor

from engine.spec.choices import NetworkName
from engine.spec.errors import InputError
from engine.spec.layers import (
    CHANNELS,
    CONVOLUTIONS,
    PROJECTIONS,
    channels_of,
    network_title,
)
from engine.storage.paths import replacing, unreadable

_ZIP, _PICKLE = b"PK\x03\x04", b"\x80"
"""How the files of torch.save begin, since 1.6 and before."""

DRAFT_FORMAT = "1"
"""The version of the draft network's file, as its header says it."""

_REMEDY = "Choose the file torchvision publishes for this network, or one made from it."


@dataclass(frozen=True, eq=False)
class NetworkWeights:
    """A network as it was read, and from what.

    Attributes:
        tensors: `conv1_1.weight` (C_out, C_in, 3, 3), `conv1_1.bias` (C_out,), ... in the network's
            order; of the draft network also `relu1_1.projection` (K, C), ...; float32, finite, on
            the CPU.
        sha256: Of the file's bytes as they were when they were read, hexadecimal.
    """

    tensors: Mapping[str, Tensor]
    sha256: str


def read_weights(path: Path, network: NetworkName) -> NetworkWeights:
    """The convolutions of a network from a .safetensors or .pth file, full or convolutions only.

    Layers may be named as torchvision does (`features.0.weight`) or as we do (`conv1_1.weight`).
    Nothing in the file is executed.

    Raises:
        InputError: The file cannot be read, or is not this network; the message names the first
            layer that is missing, misshapen or does not hold finite numbers.
    """
    draft = network is NetworkName.DRAFT
    if draft:
        _check_version(path)
    try:
        with path.open("rb") as file:
            # The same open file twice: another put in its place meanwhile changes nothing.
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
            if draft:
                _check_shipped(path, sha256)
            file.seek(0)
            tensors = _read_tensors(file, path.name)
    except OSError as error:
        raise unreadable(path, error) from error
    found = _by_layer(tensors, network)
    expected = _shapes(network)
    title = network_title(network)
    for key, shape in expected.items():
        fault = _fault(found.get(key), key, shape)
        if fault:
            raise InputError(f"{path.name} is not {title}: {fault}.", _REMEDY)
    foreign = sorted(found.keys() - expected.keys())
    if foreign:
        layer = foreign[0].rpartition(".")[0]
        raise InputError(f"{path.name} is not {title}: it also has a layer {layer}.", _REMEDY)
    kept = {key: torch.empty(shape).copy_(found[key]) for key, shape in expected.items()}
    return NetworkWeights(kept, sha256)


def write_weights(weights: Mapping[str, Tensor], path: Path, origin: Mapping[str, str]) -> None:
    """Keep convolutions as safetensors, with where they came from in the header.

    Raises:
        InputError: The place cannot be written to, or the file read back differs; what was there
            before is still there.
    """
    with replacing(path) as temporary:
        temporary.write_bytes(save(dict(weights), dict(origin)))
        written = load_file(temporary)
        if written.keys() != weights.keys() or not all(
            torch.equal(written[key], tensor) for key, tensor in weights.items()
        ):
            raise InputError(
                f"{path} was not written faithfully; it was left as it was.", "Check the disk."
            )


def _read_tensors(file: BinaryIO, name: str) -> dict[str, Tensor]:
    """Whatever tensors a file holds, by the names it gives them."""
    head = file.read(9)
    file.seek(0)
    try:
        # First: the length in front of a safetensors header may begin like a pickle.
        if head[8:] == b"{":
            return load(file.read())
        if head.startswith((_ZIP, _PICKLE)):
            return _tensors_in(torch.load(file, map_location="cpu", weights_only=True))
    except pickle.UnpicklingError as error:
        raise InputError(
            f"{name} was refused: it holds code, or something else that is not plain numbers.",
            _REMEDY,
        ) from error
    # A damaged file makes the parsers raise nearly anything, and all of it means the same.
    except Exception as error:
        raise InputError(
            f"{name} is damaged or incomplete.", "Download or copy the file again."
        ) from error
    content = "not a file of network weights" if head else "empty"
    raise InputError(f"{name} is {content}.", _REMEDY)


def digest_beside(path: Path) -> Path:
    """The file that holds the SHA-256 of another beside it."""
    return path.with_name(f"{path.name}.sha256")


def _check_version(path: Path) -> None:
    """Refuse a draft network of another version."""
    try:
        with safe_open(path, "pt") as file:
            version = (file.metadata() or {}).get("format")
    except OSError as error:
        raise _draft_fault(f"{path.name} cannot be read") from error
    except Exception as error:
        raise _draft_fault(f"{path.name} is damaged or incomplete") from error
    if version != DRAFT_FORMAT:
        raise _draft_fault(f"{path.name} is of another version")


def _check_shipped(path: Path, sha256: str) -> None:
    """Refuse a draft network that is not the one that ships.

    The digest lies beside the file that ships; a file of one's own need not have one.
    """
    sidecar = digest_beside(path)
    try:
        wanted = sidecar.read_text("ascii").split()[0] if sidecar.is_file() else sha256
    except (ValueError, IndexError) as error:
        raise _draft_fault(f"{sidecar.name} is damaged or incomplete") from error
    if wanted != sha256:
        raise _draft_fault(f"{path.name} is not the file that ships with this version")


def _draft_fault(what: str) -> InputError:
    return InputError(
        f"The draft network cannot be used: {what}.",
        "Install Gramarye again if it is the file that ships; or choose another network.",
    )


def _tensors_in(loaded: object) -> dict[str, Tensor]:
    if isinstance(loaded, Mapping) and isinstance(loaded.get("state_dict"), Mapping):
        loaded = loaded["state_dict"]
    entries = loaded.items() if isinstance(loaded, Mapping) else ()
    return {
        name.removeprefix("module."): tensor.detach()
        for name, tensor in entries
        if isinstance(name, str) and isinstance(tensor, Tensor)
    }


def _by_layer(tensors: Mapping[str, Tensor], network: NetworkName) -> dict[str, Tensor]:
    """The convolutional part, renamed to our layers; what the network lacks keeps its name."""
    names = _torchvision_names(network)
    layers = {}
    for name, tensor in tensors.items():
        layer, _, part = name.rpartition(".")
        if re.fullmatch(r"conv\d_\d|relu\d_\d|features\.\d+", layer):
            layers[f"{names.get(layer, layer)}.{part}"] = tensor
    return layers


def _torchvision_names(network: NetworkName) -> dict[str, str]:
    """features.0 -> conv1_1: torchvision counts convolutions, ReLUs and poolings alike."""
    names = {}
    position = 0
    for stage, count in enumerate(CONVOLUTIONS[network], start=1):
        for index in range(1, count + 1):
            names[f"features.{position}"] = f"conv{stage}_{index}"
            position += 2
        position += 1
    return names


def _shapes(network: NetworkName) -> dict[str, tuple[int, ...]]:
    shapes: dict[str, tuple[int, ...]] = {}
    channels = 3
    for stage, count in enumerate(CONVOLUTIONS[network], start=1):
        width = CHANNELS[network][stage - 1]
        for index in range(1, count + 1):
            shapes[f"conv{stage}_{index}.weight"] = (width, channels, 3, 3)
            shapes[f"conv{stage}_{index}.bias"] = (width,)
            channels = width
    if network is NetworkName.DRAFT:
        for layer, count in PROJECTIONS.items():
            shapes[f"{layer}.projection"] = (count, channels_of(layer, network))
    return shapes


def _fault(tensor: Tensor | None, key: str, shape: tuple[int, ...]) -> str:
    """What keeps a tensor from being this part of a layer, in words; empty if nothing does."""
    layer, _, part = key.partition(".")
    if tensor is None:
        return f"the layer {layer} is missing" + (" its bias" if part == "bias" else "")
    if tensor.shape != shape:
        return (
            f"the {part} of {layer} has the shape {_written(tensor.shape)}, not {_written(shape)}"
        )
    ordinary = tensor.layout is torch.strided and tensor.device.type == "cpu"
    if not ordinary or not tensor.is_floating_point():
        return f"the {part} of {layer} does not hold ordinary numbers"
    # One pass, where isfinite().all() takes several: NaN and infinity both reach an end.
    if not torch.stack(tensor.float().aminmax()).isfinite().all():
        return f"the {part} of {layer} holds values that are not finite"
    return ""


def _written(shape: tuple[int, ...]) -> str:
    return "x".join(str(size) for size in shape) or "of one number"
