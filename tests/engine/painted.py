"""Objectives on sample pictures and on paintings in which little varies."""

from __future__ import annotations

import torch
from torch import Tensor

from engine.network.convolutions import Arithmetic
from engine.network.networks import Network
from engine.objective.objective import OrientedObjectives
from engine.objective.targets import Targets, encode_content, encode_style
from engine.run.tensors import to_tensor
from engine.spec.layers import measured_layers
from engine.spec.settings import Settings
from engine.storage.images import open_picture
from resources import SAMPLES


def sample(name: str, side: int) -> Tensor:
    """A sample picture as (1, 3, side, side)."""
    pixels = open_picture(SAMPLES / f"{name}.jpg").pixels
    return to_tensor(pixels, (side, side), torch.device("cpu"))


def painting(kind: str, side: int) -> Tensor:
    """One in which little varies, (1, 3, side, side): flat, near flat, two-coloured, a gradient."""
    picture = torch.full((1, 3, side, side), 0.5)
    match kind:
        case "near flat":
            generator = torch.Generator().manual_seed(3)
            picture += (torch.rand(picture.shape, generator=generator) - 0.5) / 255
        case "two colours":
            picture[..., side // 2 :] = torch.tensor([0.8, 0.6, 0.7]).view(1, 3, 1, 1)
        case "gradient":
            picture = torch.linspace(0, 1, side).expand(1, 3, side, side).contiguous()
    return picture


def objective(
    settings: Settings,
    weights: dict[str, Tensor],
    content: Tensor,
    style: Tensor,
    dtype: torch.dtype,
    *,
    products: bool = False,
) -> OrientedObjectives:
    """Of one painting, in one orientation, on a CPU."""
    arithmetic = Arithmetic(torch.device("cpu"), dtype, products=products)
    network = Network(
        settings.network, weights, settings.layers, arithmetic, settings.pooling, settings.padding
    )
    wide = torch.promote_types(dtype, torch.float32)
    layers = measured_layers(settings)
    targets = Targets(
        encode_content(network, content.to(wide), layers.content),
        (encode_style(network, style.to(wide), layers.style, settings.style_loss),),
    )
    return OrientedObjectives(network, [targets], settings, [1.0])
