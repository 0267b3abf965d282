"""The distillation: what it promises of its files, its gradients and its coming back to life."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors import safe_open
from torch import Tensor

from engine.distill import __main__ as command
from engine.distill.episodes import paint
from engine.distill.guidance import aims_of, gradients
from engine.distill.imitation import fit_convolution, imitate, most_telling
from engine.distill.networks import STYLE_LAYERS, Design, Student, Teacher
from engine.distill.optimizer import orthogonalised
from engine.distill.pictures import Pictures
from engine.objective.losses import transport_by_eigenvalues, wasserstein_loss
from engine.objective.statistics import Statistics, measure
from engine.spec.choices import NetworkName
from engine.spec.errors import InputError
from engine.spec.layers import CHANNELS, block_names, place_of

pytestmark = pytest.mark.usefixtures("one_thread")

_SMALL = Design((2, 2, 2, 2, 1), (4, 4, 6, 8, 8), (4, 4, 6, 8, 8, 8))


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    folder = tmp_path / "pictures"
    folder.mkdir()
    levels = np.random.default_rng(0).integers(0, 256, (3, 40, 56, 3), dtype=np.uint8)
    for number, pixels in enumerate(levels):
        Image.fromarray(pixels).save(folder / f"{number}.png")
    (folder / "notes.txt").write_text("not a picture")
    return folder


@pytest.fixture
def distil(
    random_network: Path, pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., int]:
    """Run the command line on tiny pictures."""
    monkeypatch.setattr(command, "Design", lambda: _SMALL)
    monkeypatch.setattr("engine.distill.training.SITTINGS", 1)

    def run(**options: object) -> int:
        given = {
            "teacher": random_network, "images": pictures, "out": tmp_path / "draft.safetensors",
            "device": "cpu", "steps": 4, "imitations": 2,
            "episodes": 4, "painters": 1, "patch": 32, **options,
        }  # fmt: skip
        return command.main([word for k, v in given.items() for word in (f"--{k}", str(v))])

    return run


def _weights(path: Path) -> dict[str, Tensor]:
    with safe_open(path, "pt") as file:
        return {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118


def test_the_file_holds_the_network_in_half_precision_and_says_how_it_is_built(
    distil: Callable[..., int], tmp_path: Path
) -> None:
    assert distil() == 0
    weights = _weights(tmp_path / "draft.safetensors")
    assert weights["conv3_1.weight"].shape == (6, 4, 3, 3)
    assert weights["relu4_2.projection"].shape == (8, 8)
    assert {tensor.dtype for tensor in weights.values()} == {torch.float16}
    with safe_open(tmp_path / "draft.safetensors", "pt") as file:
        header = file.metadata()
    assert header["convolutions"] == "2,2,2,2,1"
    assert header["widths"] == "4,4,6,8,8"


def test_a_killed_run_goes_on_where_it_was_and_ends_the_same(
    distil: Callable[..., int],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("engine.distill.training.SAVE_EVERY", 1)
    learn = command.Distillation._learn

    def killed_at_step_3(self: command.Distillation) -> None:
        if self._step == 3:
            raise KeyboardInterrupt
        learn(self)

    whole, resumed = tmp_path / "whole.safetensors", tmp_path / "resumed.safetensors"
    assert distil(out=whole) == 0
    monkeypatch.setattr(command.Distillation, "_learn", killed_at_step_3)
    assert distil(out=resumed) == 130
    assert not resumed.exists()
    monkeypatch.setattr(command.Distillation, "_learn", learn)
    assert distil(out=resumed) == 0
    assert "Going on after 2 imitations and 3 of 4 steps" in capsys.readouterr().err
    first, second = _weights(whole), _weights(resumed)
    for name in first:
        torch.testing.assert_close(first[name], second[name], rtol=1e-2, atol=1e-3)


def test_another_seed_does_not_go_on_with_a_run_that_was_begun(
    distil: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    assert distil(seed=1) == 0
    assert distil(seed=2) == 1
    assert "seed 1" in capsys.readouterr().err


def test_a_folder_without_pictures_is_refused_in_words(
    distil: Callable[..., int], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert distil(images=tmp_path / "nowhere") == 1
    assert "nowhere" in capsys.readouterr().err
    (tmp_path / "empty").mkdir()
    assert distil(images=tmp_path / "empty") == 1


def test_patches_are_square_and_in_range(pictures: Path) -> None:
    source, chance = Pictures(pictures, 32), random.Random(0)
    for _ in range(20):
        patch = source.patch(chance)
        assert patch.shape == (3, 32, 32)
        assert 0 <= patch.min() <= patch.max() <= 1
    with pytest.raises(InputError, match="64"):
        Pictures(pictures, 64)


def test_the_batched_gradient_is_that_of_the_engines_own_losses() -> None:
    torch.manual_seed(0)
    student = Student(_SMALL)
    images, contents, styles = torch.rand(3, 2, 3, 48, 48)
    weights = torch.tensor([[1.0, 2, 2, 2, 2, 2], [0.5, 1, 2, 3, 4, 5]])
    found = gradients(student, images, aims_of(student, contents, styles), weights)
    for number in range(2):
        image = images[number : number + 1].clone().requires_grad_()
        features = student(image)
        targets = student(styles[number : number + 1].detach())
        content = student(contents[number : number + 1])["relu4_2"].detach()
        loss = (features["relu4_2"] - content).square().mean() / content.square().mean()
        value = weights[number, 0] * loss
        for index, layer in enumerate(STYLE_LAYERS, start=1):
            flat = features[layer].flatten(2)[0]
            statistics = Statistics(flat.shape[1], flat.sum(1), flat @ flat.T)
            value = value + weights[number, index] * wasserstein_loss(
                statistics, measure(targets[layer]), transport_by_eigenvalues
            )
        (expected,) = torch.autograd.grad(value, image)
        expected = expected[0] * image.numel()
        assert (found[number] - expected).norm() < 0.02 * expected.norm()


def test_a_student_paints_what_it_is_shown_from_all_sides() -> None:
    torch.manual_seed(0)
    shown = []

    class Watched(Student):
        def forward(self, images: Tensor) -> dict[str, Tensor]:
            shown.append(images.detach().clone())
            return super().forward(images)

    start, contents, styles = torch.rand(3, 2, 3, 32, 32)
    painted = paint(Watched(_SMALL), start, contents, styles, torch.ones(2, 6), (4,))[-1]
    for step, seen in enumerate(shown[-4:], start=1):
        # A step moves a value by 0.02 at most.
        assert float((seen - start.rot90(step, (2, 3))).abs().max()) <= 0.021 * step
    assert float((painted - start).abs().max()) <= 0.081


def test_of_a_teacher_that_repeats_itself_a_narrow_student_takes_over_everything() -> None:
    """But for the poolings, which differ, so the pictures are smooth."""
    generator = torch.Generator().manual_seed(0)
    weights: dict[str, Tensor] = {}
    channels = 3
    for name in block_names(NetworkName.VGG19, ["relu5_1"]):
        width = CHANNELS[NetworkName.VGG19][place_of(f"conv{name}")[0] - 1]
        kernel = torch.randn(6, channels, 3, 3, generator=generator) * (2 / (9 * channels)) ** 0.5
        repeats = torch.rand(width, generator=generator) + 0.5
        weights[f"conv{name}.weight"] = kernel[torch.arange(width) % 6] * repeats.view(-1, 1, 1, 1)
        weights[f"conv{name}.bias"] = 0.1 * repeats
        channels = width
    teacher = Teacher(weights)
    coarse = torch.rand(12, 3, 8, 8, generator=generator)
    smooth = torch.nn.functional.interpolate(coarse, size=64, mode="bicubic").clamp(0, 1)
    frames = smooth.mul(255).round().to(torch.uint8)
    wanted = teacher(frames / 255)
    teacher.bases = {layer: torch.eye(features.shape[1])[:8] for layer, features in wanted.items()}
    student = Student(Design((2, 2, 4, 4, 1), (6,) * 5, (8,) * 6))
    imitate(student, teacher, frames)
    for layer, found in student(frames / 255).items():
        aim = wanted[layer][:, :8]
        variance = (aim - aim.mean((0, 2, 3), keepdim=True)).square().mean()
        assert (found - aim).square().mean() < 0.1 * variance, layer


def test_a_kernel_that_is_there_to_be_found_is_found_from_its_positive_answers() -> None:
    generator = torch.Generator().manual_seed(0)
    patches, matrix = (torch.randn(n, generator=generator) for n in ((7, 4000), (3, 7)))
    wanted = matrix @ patches
    torch.testing.assert_close(fit_convolution(patches, wanted), matrix, rtol=1e-3, atol=1e-3)
    # What a silent unit would have said must not matter.
    muddled = torch.where(wanted > 0, wanted, 3 * wanted)
    found, expected = (
        torch.relu(fit_convolution(patches, aim) @ patches) for aim in (muddled, wanted)
    )
    plain = torch.relu(torch.linalg.lstsq(patches.T, muddled.T).solution.T @ patches)
    assert (found - expected).norm() < 0.5 * (plain - expected).norm()


def test_the_most_telling_channels_leave_out_what_the_others_say() -> None:
    generator = torch.Generator().manual_seed(0)
    own = torch.randn(3, 500, generator=generator)
    repeated = torch.cat([own, 0.5 * own[:1] + 0.4 * own[1:2], 2 * own[2:]])
    assert set(most_telling(repeated, 3)) == {0, 1, 4}


@pytest.mark.parametrize("shape", [(6, 40), (40, 6)])
def test_orthogonalising_brings_the_singular_values_near_1(shape: tuple[int, int]) -> None:
    torch.manual_seed(0)
    values = torch.linalg.svdvals(orthogonalised(torch.randn(shape)))
    assert 0.5 < values.min() <= values.max() < 1.5
