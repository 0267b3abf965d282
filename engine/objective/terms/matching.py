"""For each place of the canvas the place of the paintings that is most like it.

A *codebook* holds the features of some positions of the paintings. Position by position, what is to
be drawn is looked up in it once a scale: *hypercolumns*, the features of several layers in a row,
are compared by their cosine, each side centred by its own mean. What is found is an *index map*:
for each position of the matching stage the number of an entry. The features of these entries are
what the canvas is then held against (Kolkin et al. 2022, arXiv 2203.13215, there for every step).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from engine.objective.statistics import TINY, as_matrix, eigh
from engine.objective.terms.pooled import mean_of
from engine.spec.heeding import Heed, heedless
from engine.spec.layers import features_size, matching_stage, place_of
from engine.spec.matching import DIRECTIONS, FEW, QUERIES_AT_ONCE
from engine.spec.orientations import Orientation
from engine.spec.tiles import Box

Codebook = Mapping[str, Tensor]
"""Layer -> (N, C): features of N places of the paintings, as the network's own numbers."""

Projections = Mapping[str, Tensor]
"""Layer -> (K, C): what of the features is compared, where it is not all."""


@dataclass(frozen=True)
class MatchedTarget:
    """The features of matched entries, looked up where they are asked for.

    Attributes:
        entries: (N, C), those of the codebook at one layer.
        index: (h, w), int32: the map, turned as the canvas is looked at.
        pooled: Positions of the layer, across and down, that one of the map's stands for.
        spanned: Positions of the map, across and down, that one of the layer's stands for.
        square: Sum of squares over all that is held against it, as the term sees it; never 0.
    """

    entries: Tensor
    index: Tensor
    pooled: int
    spanned: int
    square: float

    @property
    def positions(self) -> int:
        """How many are held against it."""
        height, width = (side // self.spanned for side in self.index.shape)
        return height * width

    @property
    def dtype(self) -> torch.dtype:
        """Of the entries."""
        return self.entries.dtype

    def size(self) -> float:
        """Root of the mean square of the entries; reads from the device."""
        norm = torch.linalg.vector_norm(self.entries, dtype=torch.float32)
        return float(norm / self.entries.numel() ** 0.5)

    def at(self, where: Box) -> Tensor:
        """The features that a box of the layer is held against, (1, C, h, w)."""
        rows = looked_up(self.entries, self.index, self._cells(where), self.spanned)
        return rows.permute(2, 0, 1).unsqueeze(0)

    def _cells(self, where: Box) -> Box:
        """What a box of the layer is in the map."""
        if self.pooled > 1:
            return where.shrunk(self.pooled)
        return Box(*(side * self.spanned for side in where))


def looked_up(entries: Tensor, index: Tensor, cells: Box, spanned: int) -> Tensor:
    """The entries (N, C) that a box of an index map names, (h, w, C), each the mean of a square."""
    height, width = cells.height // spanned, cells.width // spanned
    numbers = index[cells.top : cells.bottom, cells.left : cells.right].reshape(-1)
    rows = entries.index_select(0, numbers)
    if spanned == 1:
        return rows.view(height, width, -1)
    return rows.view(height, spanned, width, spanned, -1).mean((1, 3))


class CodebookEncoder:
    """Takes the features of some positions of a painting.

    Args:
        layers: Which features.
        size: Height and width of the painting, upright.
        count: Of how many positions.
        seed: Says which; alike for every look at the same painting.
        look: In which the painting is seen.
    """

    def __init__(
        self,
        layers: Sequence[str],
        size: tuple[int, int],
        count: int,
        seed: int,
        look: Orientation,
    ) -> None:
        self.layers = frozenset(layers)
        self._stage = matching_stage(layers)
        height, width = size[0] >> self._stage - 1, size[1] >> self._stage - 1
        generator = torch.Generator().manual_seed(seed)
        chosen = torch.randperm(height * width, generator=generator)[:count].sort().values
        numbers = torch.full((height * width,), -1)
        numbers[chosen] = torch.arange(len(chosen))
        turned = look.of(numbers.view(1, 1, height, width))[0, 0]
        self._count = len(chosen)
        self._places = torch.empty(len(chosen), 2, dtype=torch.long)
        self._places[turned[turned >= 0]] = (turned >= 0).nonzero()
        self._size = turned.shape
        self._found: dict[str, Tensor] = {}

    def look(self, layer: str, features: Tensor, where: Box) -> None:
        """Take in one part of a layer."""
        if layer not in self._found:
            self._found[layer] = features.new_empty(self._count, features.shape[1])
        behind = place_of(layer)[0] - self._stage
        places, box = self._places, where
        if behind < 0:
            features, box = mean_of(features, 1 << -behind), where.shrunk(1 << -behind)
        elif behind > 0:
            # Beyond the last position of a deeper layer its last one stands for the rest.
            deeper = torch.tensor([side >> behind for side in self._size])
            places = torch.minimum(places >> behind, deeper - 1)
        rows, columns = places.unbind(1)
        inside = (rows >= box.top) & (rows < box.top + features.shape[2])
        inside &= (columns >= box.left) & (columns < box.left + features.shape[3])
        here = inside.nonzero()[:, 0].to(features.device)
        within = (rows - box.top) * features.shape[3] + columns - box.left
        at = within[inside].to(features.device)
        self._found[layer][here] = as_matrix(features).T.index_select(0, at)

    def entries(self) -> dict[str, Tensor]:
        """Layer -> (N, C)."""
        return self._found


class Hypercolumns:
    """Features of several layers in a row, each divided by how many there are, in few directions.

    Args:
        codebook: Whose entries say which directions: those in which these vary most, where much is
            compared.
        projections: What of the features is compared.
        places: How many are looked up.

    Attributes:
        layers: Whose features.
        entries: Those of the codebook, (N, K).
    """

    def __init__(self, codebook: Codebook, projections: Projections, places: int) -> None:
        self.layers = tuple(sorted(codebook))
        parts = [_compared(codebook[layer], projections.get(layer)) for layer in self.layers]
        seen = [
            codebook[layer].to(part) @ part for layer, part in zip(self.layers, parts, strict=True)
        ]
        columns = torch.cat(seen, 1)
        few = max(len(columns), places) <= FEW or columns.shape[1] <= DIRECTIONS
        directions = _all_directions(columns) if few else _principal(columns)
        self.entries = columns if few else columns @ directions
        shares = torch.split(directions, [part.shape[1] for part in parts])
        self._mixing = {
            layer: part @ share
            for layer, part, share in zip(self.layers, parts, shares, strict=True)
        }

    def part(self, layer: str, rows: Tensor) -> Tensor:
        """What one layer's features (n, C) add to hypercolumns (n, K)."""
        mixing = self._mixing[layer]
        return rows.to(mixing.dtype) @ mixing


def _compared(entries: Tensor, projection: Tensor | None) -> Tensor:
    """What of entries (N, C) is compared, over how much that is: (C, D), at least float32."""
    wide = torch.promote_types(entries.dtype, torch.float32)
    if projection is None:
        projection = torch.eye(entries.shape[1], dtype=wide, device=entries.device)
    return projection.to(wide).T / len(projection)


def _all_directions(columns: Tensor) -> Tensor:
    """All directions (D, D) of hypercolumns (N, D)."""
    return torch.eye(columns.shape[1], dtype=columns.dtype, device=columns.device)


def _principal(columns: Tensor) -> Tensor:
    """The directions (D, K) in which hypercolumns (N, D) vary most."""
    some = columns[:: -(-len(columns) // FEW)]
    centred = some - some.mean(0)
    _, vectors = eigh(centred.T @ centred)
    return vectors[:, -DIRECTIONS:]


class QueryEncoder:
    """Gathers the hypercolumns of an image at the matching stage.

    Args:
        hypercolumns: Their layers and directions.
        size: Height and width of the image.
    """

    def __init__(self, hypercolumns: Hypercolumns, size: tuple[int, int]) -> None:
        self.layers = frozenset(hypercolumns.layers)
        self._hypercolumns = hypercolumns
        self._stage = matching_stage(hypercolumns.layers)
        self._image = size
        self._sums: dict[int, Tensor] = {}

    def look(self, layer: str, features: Tensor, where: Box) -> None:
        """Take in one part of a layer."""
        stage = max(place_of(layer)[0], self._stage)
        pooled = 1 << stage - place_of(layer)[0]
        features, box = mean_of(features, pooled), where.shrunk(pooled)
        found = self._hypercolumns.part(layer, as_matrix(features).T)
        if stage not in self._sums:
            height, width = (side >> stage - 1 for side in self._image)
            self._sums[stage] = found.new_zeros(height, width, found.shape[1])
        height, width = features.shape[2:]
        room = self._sums[stage][box.top : box.top + height, box.left : box.left + width]
        room += found.view(height, width, -1)

    def hypercolumns(self) -> Tensor:
        """All of them, (h, w, K); of a deeper layer's positions each counts for a square."""
        whole = self._sums.pop(self._stage)
        for stage, deeper in self._sums.items():
            rows, columns = (
                (torch.arange(side, device=deeper.device) >> stage - self._stage).clamp_max_(most)
                for side, most in zip(
                    whole.shape[:2], (side - 1 for side in deeper.shape[:2]), strict=True
                )
            )
            whole += deeper[rows][:, columns]
        return whole


def nearest(queries: Tensor, entries: Tensor, heed: Heed = heedless) -> Tensor:
    """For each query (h, w, K) the number of the entry (N, K) of the greatest centred cosine.

    Returns:
        (h, w), int32.
    """
    flat = queries.reshape(-1, queries.shape[2])
    centre = flat.mean(0)
    directions = _unit(entries - entries.mean(0)).T
    found = torch.empty(len(flat), dtype=torch.int32, device=flat.device)
    for begin in range(0, len(flat), QUERIES_AT_ONCE):
        heed()
        some = flat[begin : begin + QUERIES_AT_ONCE] - centre
        # A query's own length does not change which entry is nearest.
        found[begin : begin + QUERIES_AT_ONCE] = (some @ directions).argmax(1)
    return found.view(queries.shape[:2])


def _unit(rows: Tensor) -> Tensor:
    unit: Tensor = rows / (torch.linalg.vector_norm(rows, dim=1, keepdim=True) + TINY)
    return unit


def joined(codebooks: Sequence[Codebook]) -> dict[str, Tensor]:
    """One codebook with the entries of several in a row."""
    layers = codebooks[0] if codebooks else ()
    return {layer: torch.cat([part[layer] for part in codebooks]) for layer in layers}


def matched_targets(
    codebook: Codebook,
    index: Tensor,
    size: tuple[int, int],
    projections: Projections,
) -> dict[str, MatchedTarget]:
    """What each layer is held against; reads from the device.

    Args:
        codebook: Seen in the orientation of the canvas.
        index: (h, w), turned alike.
        size: Height and width of the canvas, turned alike.
        projections: What of the features is compared.
    """
    stage, found = matching_stage(codebook), {}
    for layer, entries in codebook.items():
        behind = place_of(layer)[0] - stage
        pooled, spanned = 1 << max(0, -behind), 1 << max(0, behind)
        height, width = (side // pooled for side in features_size(layer, size))
        cells = Box(0, 0, height * spanned, width * spanned)
        square = _square(entries, index, cells, spanned, projections.get(layer))
        found[layer] = MatchedTarget(entries, index, pooled, spanned, square)
    return found


def _square(
    entries: Tensor, index: Tensor, cells: Box, spanned: int, projection: Tensor | None
) -> float:
    """Sum of squares of all that is looked up, band by band, never quite 0."""
    wide = torch.promote_types(entries.dtype, torch.float32)
    total = torch.zeros((), dtype=wide, device=entries.device)
    step = spanned * max(1, QUERIES_AT_ONCE * 16 // (cells.width * spanned))
    for top in range(0, cells.height, step):
        band = Box(top, cells.left, min(cells.bottom, top + step), cells.right)
        rows = looked_up(entries, index, band, spanned).to(wide)
        seen = rows if projection is None else rows @ projection.T.to(wide)
        total += seen.square().sum()
    count = cells.height * cells.width // spanned**2
    return float(total) + TINY * count * entries.shape[1]
