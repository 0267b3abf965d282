"""The networks: layers by their names, only what is needed, and torchvision's own numbers."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from engine.network.convolutions import Arithmetic
from engine.network.networks import Network
from engine.network.pooling import pool
from engine.spec.choices import NetworkName, Padding, Pooling
from engine.spec.tiles import WHOLE, Tiling
from engine.weights.checkpoints import read_weights

EXACT = Arithmetic(torch.device("cpu"), torch.float64)


@pytest.fixture(scope="module")
def weights(random_network: Path) -> dict[str, torch.Tensor]:
    return read_weights(random_network, NetworkName.VGG19).tensors


def taps(network: Network, image: torch.Tensor) -> dict[str, torch.Tensor]:
    found: dict[str, torch.Tensor] = {}
    network.forward(image, lambda layer, features, _: found.update({layer: features.clone()}))
    return found


def test_the_layers_are_those_of_torchvision(weights: dict[str, torch.Tensor]) -> None:
    from torchvision.models import vgg19

    model = vgg19().features.double().eval()
    convolutions = [module for module in model if isinstance(module, torch.nn.Conv2d)]
    names = [name.removesuffix(".weight") for name in weights if name.endswith("weight")]
    for module, name in zip(convolutions, names, strict=True):
        module.weight.data = weights[f"{name}.weight"].double()
        module.bias.data = weights[f"{name}.bias"].double()
    image = torch.rand(1, 3, 33, 40, dtype=torch.float64)
    mean = torch.tensor((0.485, 0.456, 0.406), dtype=torch.float64).view(1, 3, 1, 1)
    std = torch.tensor((0.229, 0.224, 0.225), dtype=torch.float64).view(1, 3, 1, 1)
    # conv4_2 is module 21 of vgg19().features, relu5_1 module 29.
    with torch.no_grad():
        conv4_2 = model[:22]((image - mean) / std)
        relu5_1 = model[:30]((image - mean) / std)
    found = taps(Network(NetworkName.VGG19, weights, ["conv4_2", "relu5_1"], EXACT), image)
    torch.testing.assert_close(found["conv4_2"], conv4_2)
    torch.testing.assert_close(found["relu5_1"], relu5_1)


def test_a_convolution_is_not_its_relu(weights: dict[str, torch.Tensor]) -> None:
    image = torch.rand(1, 3, 20, 20, dtype=torch.float64)
    found = taps(Network(NetworkName.VGG19, weights, ["conv2_1", "relu2_1"], EXACT), image)
    assert float(found["conv2_1"].min()) < 0
    torch.testing.assert_close(found["conv2_1"].clamp_min(0), found["relu2_1"])


def test_only_what_a_job_needs_is_built(weights: dict[str, torch.Tensor]) -> None:
    shallow = {name: value for name, value in weights.items() if name.startswith("conv1")}
    found = taps(Network(NetworkName.VGG19, shallow, ["relu1_2"], EXACT), torch.rand(1, 3, 16, 16))
    assert found.keys() == {"relu1_2"}


@pytest.mark.parametrize("pooling", [Pooling.AVERAGE, Pooling.L2])
def test_other_poolings_keep_the_scale_of_activations(
    pooling: Pooling, real_network: Path, shared: Path
) -> None:
    from engine.run.tensors import to_tensor
    from engine.storage.images import open_picture

    weights = read_weights(real_network, NetworkName.VGG19).tensors
    single = Arithmetic(torch.device("cpu"), torch.float32)
    pixels = open_picture(shared / "images" / "content" / "tubingen.jpg").pixels
    image = to_tensor(pixels, (128, 96), torch.device("cpu"))
    layers = ["relu2_1", "relu3_1", "relu4_1", "relu5_1"]
    usual, other = (
        taps(Network(NetworkName.VGG19, weights, layers, single, kind), image)
        for kind in (Pooling.MAX, pooling)
    )
    for layer in layers:
        ratio = other[layer].square().mean().sqrt() / usual[layer].square().mean().sqrt()
        assert 0.75 < float(ratio) < 1.33


def test_replicate_padding_keeps_a_flat_picture_flat(weights: dict[str, torch.Tensor]) -> None:
    flat = torch.full((1, 3, 16, 18), 0.7, dtype=torch.float64)
    network = Network(NetworkName.VGG19, weights, ["relu1_1"], EXACT, padding=Padding.REPLICATE)
    found = taps(network, flat)["relu1_1"]
    torch.testing.assert_close(found, found[..., :1, :1].expand_as(found))
    framed = taps(Network(NetworkName.VGG19, weights, ["relu1_1"], EXACT), flat)["relu1_1"]
    assert not torch.allclose(framed[..., 0, 0], framed[..., 5, 5])


@pytest.mark.parametrize("tiling", [WHOLE, Tiling(32)], ids=str)
@pytest.mark.parametrize(("deepest", "blocks"), [("conv2_2", 4), ("relu3_1", 5)])
def test_a_walk_ends_at_the_deepest_layer_it_is_asked_for(
    weights: dict[str, torch.Tensor], deepest: str, blocks: int, tiling: Tiling
) -> None:
    walked: list[None] = []
    network = Network(
        NetworkName.VGG19,
        weights,
        ["relu1_1", "conv2_2", "relu3_1", "relu5_1"],
        EXACT,
        tiling=tiling,
        heed=lambda: walked.append(None),
    )
    image = torch.rand(1, 3, 64, 48, dtype=torch.float64)
    found: dict[str, list[torch.Tensor]] = {}
    network.forward_to(
        image, lambda layer, part, _: found.setdefault(layer, []).append(part.clone()), [deepest]
    )
    assert deepest in found
    assert len(walked) == blocks or tiling != WHOLE
    to_the_end: dict[str, list[torch.Tensor]] = {}
    network.forward(
        image, lambda layer, part, _: to_the_end.setdefault(layer, []).append(part.clone())
    )
    assert "relu5_1" not in found
    for layer, parts in found.items():
        for part, same in zip(parts, to_the_end[layer], strict=True):
            assert torch.equal(part, same)


def test_float16_survives_l2_pooling() -> None:
    features = torch.full((1, 4, 8, 8), 300.0, dtype=torch.float16)
    features[..., :4] = 0
    pooled, transpose = pool(features, Pooling.L2, 1, rectify=True)
    assert bool(pooled.isfinite().all())
    assert bool(transpose(torch.ones_like(pooled)).isfinite().all())
