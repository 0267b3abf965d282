"""What a graphics card sums in another order than a CPU."""

from __future__ import annotations

import pytest
import torch

from engine.objective.statistics import _row_sums


@pytest.mark.parametrize("positions", [1, 40, 255, 256, 257, 5000])
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_rows_are_summed_whole_in_float32(positions: int, dtype: torch.dtype) -> None:
    generator = torch.Generator().manual_seed(positions)
    features = torch.rand(positions, 5, generator=generator).to(dtype)
    found = _row_sums(features.T, torch.float32)
    assert found.dtype is torch.float32
    torch.testing.assert_close(found.double(), features.double().sum(0), rtol=1e-6, atol=0)
