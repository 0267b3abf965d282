"""The real VGG-19 on real pictures: what a pastiche must be, measured the way a person would check.

The bounds are what a good pastiche reaches with room to spare; a broken loss, a wrong
normalisation or a lost gradient misses them by a factor.
"""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from flowing import FLOWING
from running import run

from engine.objective.statistics import measure
from engine.run.tensors import to_tensor
from engine.spec.choices import NetworkName
from engine.spec.job import job_of
from engine.spec.outcome import Pastiche
from engine.spec.pictures import StyleImage
from engine.spec.settings import Settings
from engine.storage.images import open_picture
from engine.weights.checkpoints import read_weights
from resources import DRAFT_NETWORK

pytestmark = pytest.mark.real

SIZE = 96
LAYERS = ("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1")


def render(shared: Path, network: Path, **values: object) -> Pastiche:
    settings = FLOWING.changed(output_size=SIZE, steps=50, averaging=0.8, **values)
    return paint(shared, "tubingen", "starry_night", settings, network)


def paint(shared: Path, content: str, style: str, settings: Settings, network: Path) -> Pastiche:
    images = shared / "images"
    photograph = open_picture(images / "content" / f"{content}.jpg")
    painting = StyleImage(open_picture(images / "style" / f"{style}.jpg"))
    outcome, _ = run(job_of(photograph, [painting], settings, network_weights=network))
    assert outcome.pastiche is not None, outcome.error
    return outcome.pastiche


class Judge:
    """Scores a picture by features computed apart from the engine's network."""

    def __init__(
        self, shared: Path, network: Path, content: str = "tubingen", style: str = "starry_night"
    ) -> None:
        from torchvision.models import vgg19

        weights = iter(read_weights(network, NetworkName.VGG19).tensors.values())
        self._model = vgg19().features[:30].eval()
        for module in self._model:
            if isinstance(module, torch.nn.Conv2d):
                module.weight.data, module.bias.data = next(weights), next(weights)
        images = shared / "images"
        self.content = open_picture(images / "content" / f"{content}.jpg").pixels
        self._style = open_picture(images / "style" / f"{style}.jpg").pixels

    def _features(self, pixels, size: tuple[int, int]) -> dict[str, torch.Tensor]:
        image = to_tensor(pixels, size, torch.device("cpu"))
        flow = (image - torch.tensor([0.485, 0.456, 0.406]).view(1, 3, 1, 1)) / torch.tensor(
            [0.229, 0.224, 0.225]
        ).view(1, 3, 1, 1)
        names = dict(zip((1, 6, 11, 20, 22, 29), (*LAYERS[:4], "relu4_2", LAYERS[4]), strict=True))
        found = {}
        with torch.no_grad():
            for index, module in enumerate(self._model):
                flow = module(flow)
                if index in names:
                    found[names[index]] = flow.clone()
        return found

    def score(self, pixels) -> tuple[float, float]:
        """Content and style error, each relative to its target."""
        height, width = pixels.shape[:2]
        found = self._features(pixels, (width, height))
        content = self._features(self.content, (width, height))["relu4_2"]
        tall = round(self._style.shape[0] * width / self._style.shape[1])
        style = self._features(self._style, (width, tall))
        content_error = (found["relu4_2"] - content).square().mean() / content.square().mean()
        errors = []
        for layer in LAYERS:
            aim = measure(style[layer]).gram
            errors.append(
                float((measure(found[layer]).gram - aim).square().sum() / aim.square().sum())
            )
        return float(content_error), sum(errors) / len(errors)


@pytest.fixture(scope="module")
def judge(shared: Path, real_network: Path) -> Judge:
    return Judge(shared, real_network)


def photograph_score(judge: Judge, size: int = SIZE) -> tuple[float, float]:
    height, width = judge.content.shape[:2]
    tensor = to_tensor(judge.content, (size, round(size * height / width)), torch.device("cpu"))
    pixels = (tensor[0].permute(1, 2, 0) * 255).round().to(torch.uint8).numpy()
    return judge.score(pixels)


@pytest.mark.parametrize("loss", ["gram", "gram+mean+std", "wasserstein"])
def test_the_style_comes_five_times_closer_and_the_photograph_stays(
    loss: str, judge: Judge, shared: Path, real_network: Path
) -> None:
    _, before = photograph_score(judge)
    content, style = judge.score(render(shared, real_network, style_loss=loss).pixels)
    assert style < before / 5
    assert content < 1.1


def test_style_strength_trades_the_photograph_for_the_painting(
    judge: Judge, shared: Path, real_network: Path
) -> None:
    weak, strong = (
        judge.score(render(shared, real_network, style_strength=strength).pixels)
        for strength in (0.1, 3.0)
    )
    assert weak[0] < strong[0]
    assert weak[1] > strong[1]


@pytest.mark.parametrize(
    ("content", "style"), [("chicago", "seaport"), ("golden_gate", "the_scream")]
)
def test_a_draft_holds_before_vgg19(
    content: str, style: str, shared: Path, real_network: Path
) -> None:
    """At the defaults; the photograph's own distance from the style counts as 1."""
    judge = Judge(shared, real_network, content, style)
    settings = FLOWING.changed(output_size=192).on(NetworkName.DRAFT)
    lost, left = judge.score(paint(shared, content, style, settings, DRAFT_NETWORK).pixels)
    _, before = photograph_score(judge, 192)
    assert left < 0.2 * before
    assert lost < 0.85
