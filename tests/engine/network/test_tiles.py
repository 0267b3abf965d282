"""Tiles lie edge to edge, and an evaluation cut into them is that of the whole image."""

from __future__ import annotations

import pytest
import torch
from flowing import FLOWING
from hypothesis import given
from hypothesis import strategies as st

from engine.network.convolutions import Arithmetic, winograd_available
from engine.network.networks import Network
from engine.network.segments import Block, blocks_for, segments_for
from engine.objective.evaluation import Evaluation
from engine.objective.objective import OrientedObjectives
from engine.objective.statistics import as_matrix, lies_as_matrix
from engine.objective.targets import Targets, encode_content, encode_style
from engine.spec.layers import CHANNELS, CONVOLUTIONS
from engine.spec.settings import Settings
from engine.spec.tiles import SMALLEST_TILE, Tiling, cut

pytestmark = pytest.mark.usefixtures("one_thread")

CPU = torch.device("cpu")


@given(
    size=st.tuples(st.integers(1, 300), st.integers(1, 300)),
    side=st.integers(SMALLEST_TILE, 150),
    grid=st.sampled_from([1, 2, 4]),
)
def test_tiles_own_every_position_once_and_see_their_margin(
    size: tuple[int, int], side: int, grid: int
) -> None:
    margin = 3 * grid
    tall, wide = (side, side) if size[1] > 2 * side else (side**2 // size[1], size[1])
    owned = torch.zeros(1, 1, *size)
    for tile in cut(size, side, margin, grid):
        tile.inner.of(owned).add_(1)
        assert 0 < tile.inner.height <= tall + grid
        assert 0 < tile.inner.width <= wide + grid
        assert tile.inner.top % grid == tile.inner.left % grid == 0
        assert tile.outer.top == max(0, tile.inner.top - margin)
        assert tile.outer.right == min(size[1], tile.inner.right + margin)
    assert bool((owned == 1).all())


def test_what_a_tile_sees_begins_where_poolings_begin() -> None:
    one_to_a_stage = (Block("1_1", pooled=True), Block("2_1", pooled=True), Block("3_1", False))
    usual = blocks_for(FLOWING.network, ["relu5_1"])
    for blocks in (one_to_a_stage, usual, usual[:3], usual[:4]):
        for segment in segments_for(blocks, (200, 200), Tiling(32)):
            poolings = sum(block.pooled for block in segment.blocks[:-1])
            assert segment.margin % 2**poolings == 0


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_what_bands_own_is_looked_at_where_it_lies(layout: torch.memory_format) -> None:
    features = torch.rand(1, 5, 60, 60).contiguous(memory_format=layout)
    for side, in_bands in ((32, True), (28, False)):
        tiles = list(cut((60, 60), side, margin=4, grid=2))
        assert len(tiles) > 1
        for tile in tiles:
            own = tile.inner.of(features)
            assert lies_as_matrix(own) == in_bands
            assert torch.equal(as_matrix(own), own.flatten(2)[0])
            assert (as_matrix(own).data_ptr() == own.data_ptr()) == in_bands


def thin_network(dtype: torch.dtype, settings: Settings, tiling: Tiling) -> Network:
    """VGG-19 with few channels: the same geometry, computed in a moment."""
    generator = torch.Generator().manual_seed(0)
    weights, before = {}, 3
    widths = [channels // 16 for channels in CHANNELS[settings.network]]
    for stage, count in enumerate(CONVOLUTIONS[settings.network], start=1):
        for index in range(1, count + 1):
            shape = widths[stage - 1], before, 3, 3
            kernel = torch.randn(shape, generator=generator, dtype=torch.float64)
            bias = torch.randn(shape[0], generator=generator, dtype=torch.float64)
            weights[f"conv{stage}_{index}.weight"] = kernel * (2 / (9 * before)) ** 0.5
            weights[f"conv{stage}_{index}.bias"] = 0.1 * bias
            before = shape[0]
    winograd = dtype is torch.float32 and winograd_available()
    return Network(
        settings.network,
        weights,
        settings.layers,
        Arithmetic(CPU, dtype, winograd),
        settings.pooling,
        settings.padding,
        tiling,
    )


def evaluated(
    settings: Settings, size: tuple[int, int], tiling: Tiling, dtype: torch.dtype = torch.float64
) -> Evaluation:
    def picture(seed: int, height: int, width: int) -> torch.Tensor:
        generator = torch.Generator().manual_seed(seed)
        return torch.rand(1, 3, height, width, generator=generator, dtype=dtype)

    network = thin_network(dtype, settings, tiling)
    content, *styles = picture(1, *size), picture(2, 70, 90), picture(3, 64, 33)
    content_layers, style_layers = (
        [layer for layer, _ in named] for named in (settings.content_layers, settings.style_layers)
    )
    targets = Targets(
        encode_content(network, content, content_layers),
        tuple(encode_style(network, style, style_layers) for style in styles),
    )
    return OrientedObjectives(network, [targets], settings, [1.0, 2.0]).evaluate(picture(4, *size))


def difference(found: Evaluation, wanted: Evaluation) -> tuple[float, float]:
    value = (found.total - wanted.total).abs() / wanted.total
    gradient = (found.gradient - wanted.gradient).norm() / wanted.gradient.norm()
    return float(value), float(gradient)


TILINGS = (Tiling(16), Tiling(24, 2), Tiling(50), Tiling(64, 4), Tiling(200))
LAYERS = {
    "content_layers": "relu4_2, conv4_2, relu1_2",
    "style_layers": "relu1_1, conv2_2, relu3_1, relu3_4, relu4_1, relu5_1",
}


@pytest.mark.parametrize("pooling", ["max", "average", "l2"])
@pytest.mark.parametrize("size", [(150, 134), (97, 131), (33, 16)])
def test_tiles_change_neither_value_nor_gradient(pooling: str, size: tuple[int, int]) -> None:
    for loss, bound in (("gram", 1e-12), ("gram+mean+std", 1e-12), ("wasserstein", 1e-9)):
        # The optimal transport divides by small variances, which rounding of the sums reaches.
        settings = FLOWING.changed(pooling=pooling, style_loss=loss, smoothness=1.0, **LAYERS)
        whole = evaluated(settings, size, Tiling())
        for tiling in TILINGS:
            value, gradient = difference(evaluated(settings, size, tiling), whole)
            assert value < 1e-12, (loss, tiling)
            assert gradient < bound, (loss, tiling)


@pytest.mark.parametrize(
    "values",
    [
        {"padding": "zeros"},
        {"style_layers": "relu1_2", "content_layers": "conv1_1"},
        {"style_layers": "relu2_1", "content_layers": "relu2_1"},
        {"network": "vgg16", "style_layers": "relu5_3, relu3_3", "content_layers": "conv5_1"},
    ],
    ids=["zeros", "one stage", "two stages", "vgg16"],
)
def test_tiles_are_exact_for_other_settings_too(values: dict[str, str]) -> None:
    settings = FLOWING.changed(style_loss="gram", **values)
    whole = evaluated(settings, (90, 115), Tiling())
    for tiling in TILINGS:
        assert max(difference(evaluated(settings, (90, 115), tiling), whole)) < 1e-12


def test_tiles_differ_by_rounding_in_float32() -> None:
    settings = FLOWING.changed(style_loss="gram")
    whole = evaluated(settings, (150, 134), Tiling(), torch.float32)
    for side in (48, 96):  # squares and bands
        tiled = evaluated(settings, (150, 134), Tiling(side), torch.float32)
        value, gradient = difference(tiled, whole)
        assert value < 1e-5
        assert gradient < 1e-4


@pytest.mark.parametrize("width", [128, 160], ids=["bands", "squares"])
def test_there_is_no_seam_where_tiles_meet(width: int) -> None:
    settings = FLOWING.changed(style_loss="gram")
    whole = evaluated(settings, (128, width), Tiling(), torch.float32).gradient
    tiled = evaluated(settings, (128, width), Tiling(64), torch.float32).gradient
    error = (tiled - whole).abs().sum(1)[0]
    seam, inside = error[60:68].max(), error[40:56].max()
    assert float(seam) < 10 * float(inside) + 1e-6 * float(whole.abs().max())


def test_what_is_not_remembered_leaves_no_records() -> None:
    settings = FLOWING
    image = torch.rand(1, 3, 96, 96, dtype=torch.float64)
    for remembered in range(5):
        network = thin_network(torch.float64, settings, Tiling(16, remembered))
        tape = network.forward(image, lambda *_: None)
        counts = [len(segment.tiles) for segment in tape]
        assert counts == [36, 3, 1, 1]  # 96, 24, 12 and 6 positions to the side
        kept = [all(tile.operations is not None for tile in segment.tiles) for segment in tape]
        several = [kept[number] for number in range(2)]
        assert several == [remembered >= 4, remembered >= 3]
