"""How fast one evaluation of the objective is, beside the plain way of writing it.

    python tests/benchmarks/evaluation.py NETWORK_FILE [--device auto] [--sizes 256 512 1024]

The plain way is float32, (N, C, H, W) in memory, and autograd through the whole network, as most
programs have it. Both are measured in one run, alternating, and the ratio is what counts: times
alone say more about the machine and its other work.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional as F

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from engine import devices  # noqa: E402
from engine.checkpoints import read_weights  # noqa: E402
from engine.choices import NetworkName  # noqa: E402
from engine.layers import CONVOLUTIONS  # noqa: E402
from engine.networks import MEAN, STD, Network  # noqa: E402
from engine.objective import Objective, Targets, encode_content, encode_style  # noqa: E402
from engine.settings import DEFAULTS, Settings  # noqa: E402


def plain_features(image: Tensor, weights: dict[str, Tensor], names: set[str]) -> dict[str, Tensor]:
    """VGG-19 to relu5_1 by torch.nn.functional alone."""
    mean = torch.tensor(MEAN, device=image.device).view(1, 3, 1, 1)
    std = torch.tensor(STD, device=image.device).view(1, 3, 1, 1)
    h, found = (image - mean) / std, {}
    for stage, count in enumerate(CONVOLUTIONS[NetworkName.VGG19], start=1):
        h = F.max_pool2d(h, 2) if stage > 1 else h
        for index in range(1, count + 1):
            name = f"{stage}_{index}"
            h = F.conv2d(h, weights[f"conv{name}.weight"], weights[f"conv{name}.bias"], padding=1)
            h = F.relu(h)
            if f"relu{name}" in names:
                found[f"relu{name}"] = h
            if name == "5_1":
                return found
    return found


def plain_evaluation(
    image: Tensor, content: Tensor, style: Tensor, weights: dict[str, Tensor], settings: Settings
) -> Callable[[], Tensor]:
    """The same Gram objective through autograd, as a function that gives the gradient."""
    styles = [name for name, _ in settings.style_layers]
    wanted = {*styles, "relu4_2"}

    def gram(features: Tensor) -> Tensor:
        matrix = features.flatten(2)[0]
        return matrix @ matrix.T / matrix.shape[1]

    with torch.no_grad():
        aim = plain_features(content, weights, wanted)["relu4_2"]
        grams = {n: gram(f) for n, f in plain_features(style, weights, wanted).items()}

    def evaluate() -> Tensor:
        leaf = image.clone().requires_grad_()
        found = plain_features(leaf, weights, wanted)
        total = settings.alpha * (found["relu4_2"] - aim).square().mean() / aim.square().mean()
        for name in styles:
            error = (gram(found[name]) - grams[name]).square().sum() / grams[name].square().sum()
            total = total + settings.beta / len(styles) * error
        (gradient,) = torch.autograd.grad(total, leaf)
        return gradient

    return evaluate


def seconds(work: Callable[[], object], device: torch.device) -> float:
    """One call's time, the device's queue included."""
    began = time.perf_counter()
    work()
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter() - began


def compare(size: int, weights: dict[str, Tensor], settings: Settings, rounds: int) -> str:
    """One line of the table for a canvas of size x 3/4 size."""
    arithmetic = devices.choose_arithmetic(settings)
    device = arithmetic.device
    generator = torch.Generator().manual_seed(0)
    shape = (1, 3, size * 3 // 4, size)
    image, content, style = (torch.rand(shape, generator=generator).to(device) for _ in range(3))
    styles = [name for name, _ in settings.style_layers]
    ways: dict[str, Callable[[], object]] = {}
    here = {name: value.to(device) for name, value in weights.items()}
    gram = settings.changed(style_loss="gram", padding="zeros")
    ways["plain"] = plain_evaluation(image, content, style, here, gram)
    for loss in ("gram", "wasserstein"):
        chosen = gram.changed(style_loss=loss)
        network = Network(chosen.network, weights, [*styles, "relu4_2"], arithmetic)
        targets = Targets(
            encode_content(network, content, ["relu4_2"]), (encode_style(network, style, styles),)
        )
        objective = Objective(network, targets, chosen, [1.0])
        ways[loss] = lambda objective=objective: objective.evaluate(image)
    times: dict[str, list[float]] = {name: [] for name in ways}
    for number in range(rounds + 1):
        for name, work in ways.items():
            taken = seconds(work, device)
            if number:  # the first round warms up
                times[name].append(taken)
    medians = {name: statistics.median(taken) for name, taken in times.items()}
    row = "  ".join(
        f"{name} {value:8.4f} s ({medians['plain'] / value:4.2f}x)"
        for name, value in medians.items()
    )
    return f"{size:5} px  {row}"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("network", type=Path)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--sizes", type=int, nargs="+", default=[256, 512])
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    settings = DEFAULTS.changed(device=options.device)
    print(devices.describe(devices.choose_arithmetic(settings)), f"torch {torch.__version__}")
    weights = read_weights(options.network, NetworkName.VGG19)
    for size in options.sizes:
        print(compare(size, weights, settings, options.rounds), flush=True)


if __name__ == "__main__":
    main()
