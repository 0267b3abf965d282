"""The draft network: the one that ships, and files that only look like it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import reference
import torch
from flowing import FLOWING
from generators import returned
from running import measurer_of, painted, plan_of
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from engine.network.convolutions import Arithmetic
from engine.network.networks import Network
from engine.objective.objective import OrientedObjectives
from engine.objective.targets import Targets, encode_content, encode_style
from engine.plan.resolve import choose_network
from engine.run.tensors import to_tensor
from engine.spec.choices import NetworkName
from engine.spec.errors import InputError
from engine.spec.job import job_of
from engine.spec.layers import PROJECTIONS, layer_names, measured_layers, stand_in
from engine.spec.pictures import Pixels, StyleImage
from engine.spec.scales import Scale
from engine.spec.tiles import Tiling
from engine.storage.images import open_picture, picture_from_pixels
from engine.weights.checkpoints import read_weights
from engine.weights.installed import find_weights, networks_here
from resources import DRAFT_NETWORK, SAMPLES

DRAFT = NetworkName.DRAFT
SETTINGS = FLOWING.on(DRAFT)
EXACT = Arithmetic(torch.device("cpu"), torch.float64)


def image(seed: int, height: int = 50, width: int = 61) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(1, 3, height, width, generator=generator, dtype=torch.float64)


def copied(folder: Path, header: dict[str, str] | None = None, **changed: torch.Tensor) -> Path:
    """The shipped file with some tensors or header lines changed."""
    tensors = load_file(DRAFT_NETWORK)
    with safe_open(DRAFT_NETWORK, "pt") as file:
        kept = dict(file.metadata())
    path = folder / "draft.safetensors"
    save_file({**tensors, **changed}, path, {**kept, **(header or {})})
    return path


def test_it_ships_small_and_is_found_without_any_other_network() -> None:
    assert DRAFT_NETWORK.stat().st_size <= 4_000_000
    assert find_weights(DRAFT) == DRAFT_NETWORK
    assert choose_network(NetworkName.AUTO, networks_here()) is DRAFT
    assert (DRAFT_NETWORK.with_suffix(".md")).is_file()


def test_auto_is_vgg19_where_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRAMARYE_NETWORKS", str(tmp_path))
    (tmp_path / "vgg19.safetensors").touch()
    assert choose_network(NetworkName.AUTO, networks_here()) is NetworkName.VGG19
    assert choose_network(DRAFT, networks_here()) is DRAFT


@pytest.mark.parametrize("optimizer", ["adam", "lbfgs"])
@pytest.mark.parametrize("loss", ["gram", "gram+mean+std", "wasserstein"])
def test_losses_compare_what_the_projections_show(loss: str, optimizer: str) -> None:
    settings = SETTINGS.changed(style_loss=loss, optimizer=optimizer)
    weights = read_weights(DRAFT_NETWORK, DRAFT).tensors
    x, content, style = image(1), image(2), image(3, 40, 44)
    objectives = []
    for tiling in (Tiling(), Tiling(32)):
        network = Network(
            DRAFT, weights, settings.layers, EXACT, settings.pooling, settings.padding, tiling
        )
        targets = Targets(
            encode_content(network, content, ["relu4_2"]),
            (encode_style(network, style, [name for name, _ in settings.style_layers]),),
        )
        objective = OrientedObjectives(network, [targets], settings, [1.0])
        objectives.append(objective.evaluate(x))
    leaf = x.clone().requires_grad_()
    total = reference.objective(leaf, content, style, weights, settings)
    (gradient,) = torch.autograd.grad(total, leaf)
    for found in objectives:
        torch.testing.assert_close(found.total, total.detach(), rtol=1e-8, atol=0)
        assert (found.gradient - gradient).norm() / gradient.norm() < 1e-6


def test_each_step_sees_the_same_objective_in_another_orientation() -> None:
    settings = SETTINGS.changed(style_loss="gram")
    weights = read_weights(DRAFT_NETWORK, DRAFT).tensors
    levels = [(255 * seen).to(torch.uint8) for seen in (image(2), image(3, 40, 44))]
    content, style = (
        picture_from_pixels(level[0].permute(1, 2, 0).numpy(), "p") for level in levels
    )
    job = job_of(content, [StyleImage(style)], settings)
    scale = Scale(canvas=content.size, styles=(style.size,), steps=8)
    measurer = measurer_of(job, plan_of(job, tiling=Tiling()))
    objective = returned(
        measurer.measure(scale, measured_layers(settings), settings, [1.0])
    ).objective
    pictures = [image(1), *(level.double() / 255 for level in levels)]
    for step in (0, 1, 2, 3, 6):
        x, *seen = (picture.rot90(step, (2, 3)) for picture in pictures)
        leaf = x.clone().requires_grad_()
        total = reference.objective(leaf, *seen, weights, settings)
        (gradient,) = torch.autograd.grad(total, leaf)
        evaluation = objective.evaluate(pictures[0].float(), step)
        assert float(evaluation.total) == pytest.approx(float(total.detach()), rel=1e-4)
        upright = gradient.rot90(-step, (2, 3))
        assert (evaluation.gradient - upright).norm() / upright.norm() < 1e-3


def test_every_layer_of_vgg19_has_a_stand_in() -> None:
    known = set(layer_names(DRAFT))
    assert known >= PROJECTIONS.keys() | {"conv4_2"}
    assert {stand_in(layer, DRAFT) for layer in layer_names(NetworkName.VGG19)} <= known
    assert stand_in("relu5_3", DRAFT) == "relu5_1"
    adapted = FLOWING.changed(style_layers="relu5_1:1, relu5_3:2, conv5_4").on(DRAFT)
    assert dict(adapted.style_layers) == {"relu5_1": 3.0, "conv5_1": 1.0}


@pytest.mark.parametrize("style", ["painting", "woodcut", "wash", "mosaic"])
def test_a_sample_pair_comes_near_the_painting_and_stays_the_photograph(style: str) -> None:
    """Measured by Gram matrices of the draft network computed apart from the engine's."""
    content, painting = (open_picture(SAMPLES / f"{n}.jpg") for n in ("photograph", style))
    settings = SETTINGS.changed(output_size=128, steps=60, averaging=0.8)
    pixels = painted(job_of(content, [StyleImage(painting)], settings))
    weights = read_weights(DRAFT_NETWORK, DRAFT).tensors

    def seen(levels: Pixels) -> dict[str, torch.Tensor]:
        height, width = levels.shape[:2]
        size = (128, round(128 * height / width))
        shown = to_tensor(levels, size, torch.device("cpu")).double()
        return reference.draft_features(shown, weights, settings.padding)

    photograph, aim, found = (seen(p) for p in (content.pixels, painting.pixels, pixels))
    before, after = (
        sum(
            float(reference.style_loss("gram", features[layer], aim[layer]))
            for layer, _ in settings.style_layers
        )
        for features in (photograph, found)
    )
    assert after < 0.15 * before
    changed = (found["relu4_2"] - photograph["relu4_2"]).square().mean()
    assert changed < 0.7 * photograph["relu4_2"].square().mean()


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"draft network cannot be used: .* cannot be read"):
        read_weights(tmp_path / "draft.safetensors", DRAFT)


def test_a_damaged_file_is_told(tmp_path: Path) -> None:
    path = tmp_path / "draft.safetensors"
    path.write_bytes(DRAFT_NETWORK.read_bytes()[:100_000])
    with pytest.raises(InputError, match="damaged or incomplete"):
        read_weights(path, DRAFT)


def test_a_file_of_another_version_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="of another version"):
        read_weights(copied(tmp_path, {"format": "2"}), DRAFT)


def test_a_file_that_is_not_the_shipped_one_is_told(tmp_path: Path) -> None:
    path = copied(tmp_path, {"seed": "altered"})
    read_weights(path, DRAFT)  # one's own, beside which lies no digest
    shutil.copy(DRAFT_NETWORK.with_name("draft.safetensors.sha256"), tmp_path)
    with pytest.raises(InputError, match="not the file that ships"):
        read_weights(path, DRAFT)


def test_a_misshapen_layer_is_named(tmp_path: Path) -> None:
    path = copied(tmp_path, **{"relu3_1.projection": torch.zeros(3, 3)})
    with pytest.raises(InputError, match="relu3_1"):
        read_weights(path, DRAFT)
