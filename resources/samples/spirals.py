"""Grows a tree whose every branch ends in a spiral, to fill a space."""

from dataclasses import dataclass

import numpy as np
from noise import Field

Circle = tuple[float, float, float]  # x, y, radius

_POINTS = 180  # along a spiral
_DEAR = 1500.0  # cost of a twig that bends too sharply


@dataclass(frozen=True)
class Branch:
    """A stem that runs on into a spiral, in pixels."""

    path: Field  # (N, 2)
    start: int  # index of the point where it begins to curl
    width: float  # where it leaves the branch it grows from

    def widths(self) -> Field:
        """Width at each point of the path, (N,)."""
        run = np.linspace(0, 1, len(self.path))
        return np.maximum(4.0, self.width * (1 - 0.75 * run**0.8))


def limb(root: Field, ahead: Field, curl: Circle, sense: int, width: float) -> Branch:
    """A branch from a root that sets out ``ahead`` and bends smoothly into a spiral.

    Args:
        root: (x, y) where it begins.
        ahead: (x, y), the direction in which it sets out, of any length.
        curl: circle that the spiral fills.
        sense: 1 to turn clockwise as it is seen, -1 to turn the other way.
        width: of the branch at its root.
    """
    x, y, radius = curl
    reach = np.hypot(*(_entry(root, curl, sense)[0] - root))
    corner = root + 0.45 * reach * ahead / np.hypot(*ahead)
    place, angle = _entry(corner, curl, sense)
    run = np.linspace(0, 1, max(6, int(reach / 3)))[:-1, None]
    stem = (1 - run) ** 2 * root + 2 * run * (1 - run) * corner + run**2 * place
    run = np.linspace(0, 1, _POINTS)
    turns = 2.6 if radius > 60 else 2.1 if radius > 36 else 1.6
    turn = angle + sense * 2 * np.pi * turns * run
    out = radius * (1 - (0.74 if radius > 48 else 0.9) * run**1.15)
    spiral = np.stack([x + out * np.cos(turn), y + out * np.sin(turn)], 1)
    return Branch(np.concatenate([stem, spiral]), len(stem), width)


def grown(limbs: list[Branch], curls: list[Circle]) -> list[Branch]:
    """The limbs and, for each circle in turn, the branch that can reach it most smoothly.

    A circle that no branch can reach without a sharp bend stays empty.
    """
    branches = list(limbs)
    for curl in curls:
        offers = [
            (_cost(branch, n, curl, sense), branch, n, sense)
            for branch in branches
            for n in range(branch.start, branch.start + _POINTS // 3, 3)
            for sense in (-1, 1)
        ]
        cost, branch, n, sense = min(offers, key=lambda offer: offer[0])
        if cost < _DEAR:
            width = max(5.0, min(0.78 * branch.width, 0.2 * curl[2] + 3))
            root, ahead = branch.path[n], branch.path[n + 1] - branch.path[n]
            branches.append(limb(root, ahead, curl, sense, width))
    return branches


def _cost(branch: Branch, n: int, curl: Circle, sense: int) -> float:
    """What speaks against a twig from a branch's point ``n`` to a circle, about in pixels."""
    root, ahead = branch.path[n], branch.path[n + 1] - branch.path[n]
    way = _entry(root, curl, sense)[0] - root
    reach = np.hypot(*way) + 1e-6
    bend = 1 - way @ ahead / reach / np.hypot(*ahead)
    return reach + 0.5 * (n - branch.start) + 200 * bend + (_DEAR if bend > 0.3 else 0)


def _entry(root: Field, curl: Circle, sense: int) -> tuple[Field, float]:
    """Where the tangent from a root touches a circle, and the angle of that place."""
    x, y, radius = curl
    dx, dy = root[0] - x, root[1] - y
    angle = np.arctan2(dy, dx) + sense * np.arccos(min(1, radius / np.hypot(dx, dy)))
    return np.float64([x + radius * np.cos(angle), y + radius * np.sin(angle)]), angle
