"""Looks at pictures through a network, and says all numbers of a pastiche."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from statistics import fmean

import torch
from torch import Tensor

from engine.network.networks import Network
from engine.run import devices
from engine.run.tensors import to_tensor
from engine.spec.choices import NetworkName, Padding, Precision
from engine.spec.pictures import Picture, Pixels, Size
from engine.spec.scales import fitted
from engine.spec.settings import DEFAULTS
from engine.spec.tiles import Box
from engine.weights.checkpoints import read_weights
from tests.benchmarks.look import numbers

STYLE_LAYERS = ("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1")
CONTENT_LAYER = "relu4_2"
SHAPE_LAYERS = ("relu3_1", "relu4_1")
DEEPEST = STYLE_LAYERS[-1]
"""Which methods that match features do not match, so that it judges them without favour."""

PIXELS = "pixels"
"""Whose numbers need no network, beside the judges' names."""

Numbers = Mapping[str, float]
"""`content`, `gram`, `nn_to_style`, ... and a layer's own as `nn_to_style relu1_1`."""


@dataclass
class _Look:
    """A picture as a network sees it, as far as it is compared."""

    grams: dict[str, Tensor] = field(default_factory=dict)
    centres: dict[str, Tensor] = field(default_factory=dict)
    samples: dict[str, Tensor] = field(default_factory=dict)
    places: dict[str, Tensor] = field(default_factory=dict)
    content: Tensor | None = None


class Judge:
    """One network that looks at pictures, in float32.

    Args:
        name: Which network.
        weights: Its file.
        device: Where it computes, as the setting names it.

    Attributes:
        sha256: Of the file of network weights.

    Raises:
        EngineError: The device is not here.
        InputError: The file cannot be used.
    """

    def __init__(self, name: NetworkName, weights: Path, device: str) -> None:
        self.name = name
        settings = DEFAULTS.changed(device=device, precision=Precision.FLOAT32)
        self._computing = devices.choose_computing(settings)
        self._arithmetic = devices.set_up(self._computing)
        padding = Padding.REPLICATE if name is NetworkName.DRAFT else Padding.ZEROS
        layers = {*STYLE_LAYERS, CONTENT_LAYER}
        read = read_weights(weights, name)
        self.sha256 = read.sha256
        self._network = Network(name, read.tensors, layers, self._arithmetic, padding=padding)
        self._kept: dict[tuple[str, Size], _Look] = {}

    @property
    def device(self) -> torch.device:
        """Where it computes."""
        return self._arithmetic.device

    def numbers(self, content: Picture, style: Picture, output: Pixels) -> Numbers:
        """What this network has to say of a pastiche.

        The photograph is taken at the output's own size, the painting with its long side as long
        as the output's.
        """
        size = output.shape[1], output.shape[0]
        look = self._look(to_tensor(output, size, self.device))
        photograph = self._known(content, size)
        painting = self._known(style, fitted(style.size, max(size)))
        assert look.content is not None
        assert photograph.content is not None
        found = {"content": numbers.content_distance(look.content, photograph.content)}
        for name in ("gram", "nn_to_style", "nn_from_style"):
            per_layer = {
                layer: _style_number(name, layer, look, painting) for layer in STYLE_LAYERS
            }
            found[name] = fmean(per_layer.values())
            found |= {f"{name} {layer}": value for layer, value in per_layer.items()}
        found["self_similarity"] = fmean(
            numbers.self_similarity_distance(look.places[layer], photograph.places[layer])
            for layer in SHAPE_LAYERS
        )
        return found

    def forget(self) -> None:
        """Let go of the pictures that were kept for the next pastiche of a pair."""
        self._kept.clear()

    def _known(self, picture: Picture, size: Size) -> _Look:
        key = picture.sha256, size
        if key not in self._kept:
            self._kept[key] = self._look(to_tensor(picture.pixels, size, self.device))
        return self._kept[key]

    def _look(self, image: Tensor) -> _Look:
        look = _Look()

        def visit(layer: str, features: Tensor, _where: Box) -> None:
            projection = self._network.projections.get(layer)
            if projection is not None:
                features = torch.einsum("kc,nchw->nkhw", projection, features)
            features = features.contiguous()
            if layer == CONTENT_LAYER:
                look.content = features.clone()
                return
            look.grams[layer] = numbers.gram_matrix(features)
            look.centres[layer] = features.mean((0, 2, 3))
            look.samples[layer] = numbers.sampled(features)
            if layer in SHAPE_LAYERS:
                look.places[layer] = numbers.on_grid(features)

        devices.set_up(self._computing)
        self._network.forward_to(image, visit, self._network.layers)
        return look


def _style_number(name: str, layer: str, output: _Look, painting: _Look) -> float:
    if name == "gram":
        return numbers.gram_distance(output.grams[layer], painting.grams[layer])
    found, aim = output.samples[layer], painting.samples[layer]
    asking, searched = (found, aim) if name == "nn_to_style" else (aim, found)
    return numbers.nearest_cosine(asking, searched, painting.centres[layer])


def pixel_numbers(
    content: Picture, style: Picture, output: Pixels, device: torch.device
) -> Numbers:
    """What can be said of a pastiche without a network, pictures at the sizes a judge takes."""
    size = output.shape[1], output.shape[0]
    image = to_tensor(output, size, device)
    photograph = to_tensor(content.pixels, size, device)
    painting = to_tensor(style.pixels, fitted(style.size, max(size)), device)
    found, aim = numbers.patches(image), numbers.patches(painting)
    return {
        "patch": numbers.nearest_patch(found[: numbers.PATCHES_ASKED], aim),
        "patch_back": numbers.nearest_patch(aim[: numbers.PATCHES_ASKED], found),
        "residue": numbers.residue(image, photograph),
        "fringe": numbers.fringe(image, painting),
    }
