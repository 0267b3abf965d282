"""What a plan foretells of a card is what tensors take there, on a stand-in that computes nothing.

Fake tensors are of a card and have shapes and layouts only, so pictures may be as large as real
ones.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import computings
import pytest
import torch
from flowing import FLOWING
from live import LiveBytes
from torch import Tensor
from torch._subclasses.fake_tensor import FakeTensorMode

from engine.network.convolutions import Arithmetic
from engine.network.networks import Network
from engine.objective.composition import compose
from engine.objective.objective import Objective
from engine.objective.statistics import Statistics
from engine.objective.targets import Targets
from engine.objective.terms.content import ContentTarget
from engine.objective.terms.style import StatisticsSlope, StyleTerm
from engine.plan import memory
from engine.plan.machine import Machine
from engine.plan.memory import job_bytes
from engine.spec.choices import NetworkName, Precision
from engine.spec.layers import channels_of, features_size, measured_layers
from engine.spec.orientations import Orientation, orientations
from engine.spec.pictures import Size
from engine.spec.scales import Scale
from engine.spec.settings import Settings
from engine.spec.tiles import WHOLE, Tiling
from engine.weights.checkpoints import read_weights
from resources import DRAFT_NETWORK

CUDA = torch.device("cuda", 0)
DTYPES = {Precision.BFLOAT16: torch.bfloat16, Precision.FLOAT32: torch.float32}
MACHINE = Machine(
    computings.CARD,
    total=0,
    available=0,
    networks={},
)
SCALE = Scale(canvas=(2080, 2048), styles=((512, 512),), steps=9)
"""Just too large to be recorded."""


@pytest.fixture(scope="module")
def weights(random_network: Path) -> Mapping[NetworkName, Mapping[str, Tensor]]:
    return {
        NetworkName.VGG19: read_weights(random_network, NetworkName.VGG19).tensors,
        NetworkName.DRAFT: read_weights(DRAFT_NETWORK, NetworkName.DRAFT).tensors,
    }


@pytest.fixture
def card(monkeypatch: pytest.MonkeyPatch) -> None:
    """Convolutions that lay out their results as cuDNN does, and small tensors without autograd."""

    def convolve(image: Tensor, weight: Tensor, bias: Tensor | None, padding: int = 0) -> Tensor:
        assert image.is_contiguous(memory_format=torch.channels_last)
        height, width = (side + 2 * padding - 2 for side in image.shape[2:])
        return torch.empty(
            (1, len(weight), height, width),
            dtype=image.dtype, device=image.device, memory_format=torch.channels_last,
        )  # fmt: skip

    def close(_term: StyleTerm, sums: Statistics, _scale: float) -> tuple[Tensor, StatisticsSlope]:
        return sums.total.new_zeros(()), StatisticsSlope(
            sums.outer + sums.outer.T, sums.total, lambda: 1.0
        )

    monkeypatch.setattr("engine.network.convolutions.F.conv2d", convolve)

    def rectify(
        image: Tensor, weight: Tensor, bias: Tensor, _stride: object, padding: list[int], *_: object
    ) -> Tensor:
        return convolve(image, weight, bias, padding[0])

    monkeypatch.setattr(torch, "cudnn_convolution_relu", rectify)
    monkeypatch.setattr(StyleTerm, "close", close)


def targets_for(settings: Settings, dtype: torch.dtype, canvas: Size) -> list[Targets]:
    """What is held of a content image and one painting in each orientation."""
    layers = measured_layers(settings)

    def content(layer: str, look: Orientation) -> ContentTarget:
        upright = features_size(layer, canvas[::-1])
        height, width = upright[::-1] if look.quarters % 2 else upright
        features = torch.empty(
            (1, channels_of(layer, settings.network), height, width),
            dtype=dtype, device=CUDA, memory_format=torch.channels_last,
        )  # fmt: skip
        return ContentTarget(features, 1.0)

    def style(layer: str) -> Statistics:
        channels = channels_of(layer, settings.network)
        return Statistics(
            1.0, torch.empty(channels, device=CUDA), torch.empty(channels, channels, device=CUDA)
        )

    return [
        Targets(
            {layer: content(layer, look) for layer in layers.content},
            ({layer: style(layer) for layer in layers.style},),
            look,
        )
        for look in orientations(settings)
    ]


def most_alive(
    settings: Settings,
    weights: Mapping[str, Tensor],
    canvas: Size,
    tiling: Tiling,
    dtype: torch.dtype,
) -> int:
    """Bytes of all tensors on the card while Adam's image is evaluated in the last orientation."""
    with FakeTensorMode(allow_non_fake_inputs=True):
        read = {name: torch.empty(tensor.shape) for name, tensor in weights.items()}
        with LiveBytes() as live:
            network = Network(
                settings.network, read, settings.layers, Arithmetic(CUDA, dtype, fused=True),
                settings.pooling, settings.padding, tiling,
            )  # fmt: skip
            targets = targets_for(settings, dtype, canvas)
            width, height = canvas
            image, *_held = (torch.empty(1, 3, height, width, device=CUDA) for _ in range(4))
            terms = compose(targets[-1], settings, [1.0], network.projections, products=True)
            Objective(network, terms, targets[-1].orientation).evaluate(image)
    return live.peak


TILINGS = (WHOLE, Tiling(1024, 4), Tiling(1024), Tiling(512, 2), Tiling(512))
CASES = [
    *((NetworkName.VGG19, pooling) for pooling in ("max", "average", "l2")),
    (NetworkName.DRAFT, "max"),
]


@pytest.mark.parametrize(
    ("precision", "tiling"),
    [
        *((Precision.BFLOAT16, tiling) for tiling in TILINGS),
        (Precision.FLOAT32, WHOLE),
    ],
)
@pytest.mark.parametrize(("name", "pooling"), CASES)
@pytest.mark.usefixtures("card")
def test_what_is_planned_for_a_card_is_what_is_alive_there_and_a_fifth_at_most(
    name: NetworkName,
    pooling: str,
    tiling: Tiling,
    precision: Precision,
    weights: Mapping[NetworkName, Mapping[str, Tensor]],
) -> None:
    settings = FLOWING.changed(pooling=pooling).on(name)
    computing = MACHINE.computing.model_copy(update={"precision": precision})
    machine = replace(MACHINE, computing=computing)
    alive = most_alive(settings, weights[name], SCALE.canvas, tiling, DTYPES[precision])
    # What libraries take for themselves is no tensor.
    said = job_bytes(settings, machine, SCALE, tiling) - memory._FIXED_ON_A_CARD
    assert alive <= said <= 1.2 * alive


@pytest.mark.usefixtures("card")
def test_of_a_small_picture_too_only_what_lies_on_the_card_is_planned(
    weights: Mapping[NetworkName, Mapping[str, Tensor]],
) -> None:
    """There the network's weights are most of it; as they were read they lie on the host."""
    settings, name = FLOWING.on(NetworkName.VGG19), NetworkName.VGG19
    scale = Scale(canvas=(256, 192), styles=((128, 128),), steps=9)
    alive = most_alive(settings, weights[name], scale.canvas, WHOLE, torch.bfloat16)
    said = job_bytes(settings, MACHINE, scale, WHOLE) - memory._FIXED_ON_A_CARD
    assert alive <= said <= 1.2 * alive
