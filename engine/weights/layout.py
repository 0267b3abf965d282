"""What a network's tensors are called and how they are shaped, and whether a file's are those."""

from __future__ import annotations

import re
from collections.abc import Mapping

import torch
from torch import Tensor

from engine.spec.choices import NetworkName
from engine.spec.layers import CHANNELS, CONVOLUTIONS, PROJECTIONS, channels_of
from engine.spec.wording import plain


class UnfitError(Exception):
    """What keeps a tensor from being a part of a layer, in words."""


def by_layer(tensors: Mapping[str, Tensor], network: NetworkName) -> dict[str, Tensor]:
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


def shapes_of(network: NetworkName) -> dict[str, tuple[int, ...]]:
    """The shape of every part of a network's layers, in its order."""
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


def own_part(tensor: Tensor | None, key: str, shape: tuple[int, ...]) -> Tensor:
    """A copy of our own of one part of a layer, float32; nothing else looks at a file's tensors.

    Raises:
        UnfitError: It is not that part.
    """
    layer, _, part = key.partition(".")
    if tensor is None:
        raise UnfitError(f"the layer {layer} is missing" + " its bias" * (part == "bias"))
    own = None
    try:
        found = tuple(tensor.shape)
        if found == shape and _is_ordinary(tensor):
            own = torch.empty(shape).copy_(tensor.detach())
    # Nested tensors have no shape, others no numbers or wrong ones: they all raise their own way.
    except Exception as error:
        raise UnfitError(f"the {part} of {layer} does not hold ordinary numbers") from error
    if found != shape:
        size = plain(_written(found), 60)
        raise UnfitError(f"the {part} of {layer} has the shape {size}, not {_written(shape)}")
    if own is None:
        raise UnfitError(f"the {part} of {layer} does not hold ordinary numbers")
    # One pass, where isfinite().all() takes several: NaN and infinity both reach an end.
    if not torch.stack(own.aminmax()).isfinite().all():
        raise UnfitError(f"the {part} of {layer} holds values that are not finite")
    return own


def _is_ordinary(tensor: Tensor) -> bool:
    """Whether a tensor is numbers in memory, of its own class and each where its strides say."""
    return (
        type(tensor) in (Tensor, torch.nn.Parameter)
        and tensor.layout is torch.strided
        and tensor.device.type == "cpu"
        and tensor.is_floating_point()
        and not tensor.is_nested
    )


def _written(shape: tuple[int, ...]) -> str:
    return "x".join(str(size) for size in shape) or "of one number"
