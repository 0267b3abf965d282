"""The few directions of a teacher's features which hold most of their power."""

from __future__ import annotations

import torch
from torch import Tensor

from engine.distill.networks import TAPS, Teacher


@torch.no_grad()
def principal_directions(
    teacher: Teacher,
    patches: Tensor,
    directions: tuple[int, ...],
    device: torch.device,
) -> dict[str, Tensor]:
    """For each tap the teacher's principal directions (K, C), the strongest first.

    They are eigenvectors of the second moments over all patches, divided by one number a layer so
    that the features on them have a mean square of 1.

    Args:
        teacher: Without bases.
        patches: (N, 3, S, S) in 0..1.
        directions: How many to find for each tap.
        device: Where the arithmetic happens.
    """
    moments: dict[str, Tensor] = {}
    positions: dict[str, int] = {}
    for batch in torch.split(patches, 8):
        for layer, features in teacher(batch.to(device)).items():
            flat = features.transpose(0, 1).flatten(1).double()
            moments[layer] = moments.get(layer, 0) + flat @ flat.T
            positions[layer] = positions.get(layer, 0) + flat.shape[1]
    bases = {}
    for layer, count in zip(TAPS, directions, strict=True):
        values, vectors = torch.linalg.eigh(moments[layer] / positions[layer])
        usual = values[-count:].mean().sqrt()
        bases[layer] = (vectors.flip(1)[:, :count].T / usual).float().contiguous()
    return bases
