"""The numbers by which a pastiche is judged, as pure functions of tensors.

All are the smaller the better, and none but the network's features is trained on anything.
"""

from __future__ import annotations

import functools

import torch
from torch import Tensor
from torch.nn import functional as F

SAMPLE = 2048
"""Places of a layer that are compared, all where there are fewer: from 512 px on the same number
of all layers but the deepest, so that small and large pictures have like numbers."""

PATCHES, PATCHES_ASKED = 16384, 2048
"""Patches that a nearest one is looked for among, and those that each look for theirs."""

GRID = 32
"""Rows and columns at most of the grid on which self-similarity is measured."""

PATCH = 7
"""Side of a patch of pixels."""

WINDOW = 8
"""Side of the windows in which details are correlated, pixels."""

_CHUNK = 1024
"""Positions that are compared with all others at a time."""

_LUMA = (0.299, 0.587, 0.114)
_BINOMIAL = (1.0, 4.0, 6.0, 4.0, 1.0)

_FAINT = 0.25 / 255
"""Strength of details that nobody sees; keeps flat windows from a correlation of noise."""


def content_distance(output: Tensor, photograph: Tensor) -> float:
    """How far features are from the photograph's, mean (F - C)^2 / mean C^2.

    Args:
        output: Features F of the pastiche, any shape.
        photograph: Features C of the photograph at the pastiche's size, of the same shape.

    Returns:
        0 for the photograph itself; about 1 where nothing of it is left.
    """
    return float((output - photograph).square().mean() / photograph.square().mean())


def gram_distance(output: Tensor, painting: Tensor) -> float:
    """How far a Gram matrix is from the painting's, ||G - S||^2 / ||S||^2 (Gatys 2016, eq. 4).

    Args:
        output: G (C, C), F F^T / HW of the pastiche.
        painting: S (C, C), the same of the painting.
    """
    return float((output - painting).square().sum() / painting.square().sum())


def gram_matrix(features: Tensor) -> Tensor:
    """F F^T / HW, shape (C, C), of features (1, C, H, W)."""
    flat = features.flatten(2)[0]
    return flat @ flat.T / flat.shape[1]


def nearest_cosine(asking: Tensor, searched: Tensor, centre: Tensor) -> float:
    """How foreign vectors are to others, mean_i (1 - max_j cos(a_i - m, s_j - m)).

    Args:
        asking: (N, C), the a_i.
        searched: (M, C), the s_j.
        centre: (C,), m: the painting's mean feature, whichever side it stands on.

    Returns:
        0 where each a_i has an s_j in its direction from the centre; 1 where all are at right
        angles; at most 2.
    """
    codebook = F.normalize(searched - centre, dim=1).T.contiguous()
    best = [
        (F.normalize(part - centre, dim=1) @ codebook).amax(1)
        for part in torch.split(asking, _CHUNK)
    ]
    return float((1 - torch.cat(best)).clamp_min(0).mean())


def nearest_patch(asking: Tensor, searched: Tensor) -> float:
    """How foreign patches of pixels are to others, mean_i min_j ||a_i - s_j|| / sqrt(D).

    Args:
        asking: (N, D), the a_i, values in 0..1.
        searched: (M, D), the s_j.

    Returns:
        0 where all are found; a root mean square over pixels and channels, at most 1.
    """
    # About the middle of the range, where least is lost when squares are subtracted.
    codebook = (searched - 0.5).T.contiguous()
    power = codebook.square().sum(0)
    best = []
    for part in torch.split(asking - 0.5, _CHUNK):
        squares = power - 2 * (part @ codebook)
        chosen = codebook[:, squares.argmin(1)].T
        best.append((part - chosen).square().mean(1).sqrt())
    return float(torch.cat(best).mean())


def self_similarity_distance(output: Tensor, photograph: Tensor) -> float:
    """How far the likeness among places is from that in the photograph (Kolkin 2019, eq. 6).

    With D_ij = 1 - cos(F_i, F_j) and each column divided by its mean, the mean of
    |D^output_ij - D^photograph_ij|.

    Args:
        output: (N, C), features of the pastiche at N places.
        photograph: (N, C), those of the photograph at the same places.
    """
    found, aim = (_dissimilarity(features) for features in (output, photograph))
    return float((found - aim).abs().mean())


def _dissimilarity(features: Tensor) -> Tensor:
    unit = F.normalize(features, dim=1)
    distance = (1 - unit @ unit.T).clamp_min(0)
    return distance / distance.mean(0).clamp_min(1e-8)


def residue(output: Tensor, photograph: Tensor) -> float:
    """How much of the photograph's own fine drawing is left, sum w r / sum w over windows.

    r is the correlation of the two pictures' finest details of luminance in a window of
    `WINDOW` x `WINDOW` pixels, half of which each window shares with the next; w is the standard
    deviation of the photograph's details there, so that its outlines count and its skies do not. A
    dark contour where the photograph has a bright one is a painter's own, and counts below 0.

    Args:
        output: (1, 3, H, W), sRGB in 0..1.
        photograph: (1, 3, H, W).

    Returns:
        Nearly 1 for the photograph itself; about 0 for details that have nothing to do with it.
    """
    found, aim = (fine_details(luminance(image)) for image in (output, photograph))

    def windows(values: Tensor) -> Tensor:
        return F.avg_pool2d(values, WINDOW, WINDOW // 2)

    mean_found, mean_aim = windows(found), windows(aim)
    covariance = windows(found * aim) - mean_found * mean_aim
    spread_found = (windows(found.square()) - mean_found.square()).clamp_min(0)
    spread_aim = (windows(aim.square()) - mean_aim.square()).clamp_min(0)
    faint = _FAINT**2
    correlation = covariance / ((spread_found + faint) * (spread_aim + faint)).sqrt()
    weights = spread_aim.sqrt()
    return float((weights * correlation).sum() / weights.sum().clamp_min(1e-12))


def fringe(output: Tensor, painting: Tensor) -> float:
    """Fine colour noise over the painting's: root mean square of d over that of the painting's.

    d are the finest details of the two chroma channels, R - Y and B - Y.

    Args:
        output: (1, 3, H, W), sRGB in 0..1.
        painting: (1, 3, h, w), as large beside it as it was painted from.

    Returns:
        1 where both have as much of it. A painting of no colour counts as if it had one level of
        256, which nobody sees.
    """
    found, aim = (
        fine_details(chroma(image)).square().mean().sqrt() for image in (output, painting)
    )
    return float(found / aim.clamp_min(1 / 255))


def luminance(image: Tensor) -> Tensor:
    """Y (1, 1, H, W) = 0.299 R + 0.587 G + 0.114 B, of sRGB values as they are coded."""
    weights = image.new_tensor(_LUMA).view(1, 3, 1, 1)
    return (image * weights).sum(1, keepdim=True)


def chroma(image: Tensor) -> Tensor:
    """R - Y and B - Y, shape (1, 2, H, W)."""
    return image[:, [0, 2]] - luminance(image)


def fine_details(values: Tensor) -> Tensor:
    """The finest band: (1, C, H, W) less itself blurred by (1 4 6 4 1) / 16 both ways."""
    taps = values.new_tensor(_BINOMIAL) / sum(_BINOMIAL)
    kernel = torch.outer(taps, taps).expand(values.shape[1], 1, 5, 5)
    padded = F.pad(values, (2, 2, 2, 2), mode="replicate")
    return values - F.conv2d(padded, kernel, groups=values.shape[1])


def sampled(features: Tensor) -> Tensor:
    """Features (1, C, H, W) at `SAMPLE` places drawn at random, as (N, C)."""
    places = _places(features[0, 0].numel(), SAMPLE, features.device)
    return features.flatten(2)[0][:, places].T.contiguous()


def patches(image: Tensor) -> Tensor:
    """Patches of `PATCH` x `PATCH` pixels at `PATCHES` places of (1, C, H, W), as (N, D).

    They are in no order: the first `PATCHES_ASKED` are a sample too.
    """
    height, width = (side - PATCH + 1 for side in image.shape[2:])
    places = _places(height * width, PATCHES, image.device)
    step = torch.arange(PATCH, device=image.device)
    rows = (places // width)[:, None, None] + step[:, None]
    columns = (places % width)[:, None, None] + step
    return image[0][:, rows, columns].transpose(0, 1).flatten(1)


def on_grid(features: Tensor) -> Tensor:
    """Features (1, C, H, W) on a grid of at most `GRID` x `GRID` places, as (N, C)."""
    rows, columns = (
        torch.linspace(0, side - 1, min(side, GRID)).round().long().to(features.device)
        for side in features.shape[2:]
    )
    return features[0][:, rows[:, None], columns].flatten(1).T.contiguous()


@functools.lru_cache(maxsize=16)
def _places(count: int, most: int, device: torch.device) -> Tensor:
    """Indices below `count`, at most so many, the same at every call."""
    generator = torch.Generator().manual_seed(0)
    return torch.randperm(count, generator=generator)[:most].to(device)
