"""A CPU and a graphics card as plans know them, for tests that need no device."""

from __future__ import annotations

from engine.spec.choices import Device, Precision
from engine.spec.computing import Computing

HOST = Computing(
    device=Device.CPU,
    name="CPU, 2 threads",
    precision=Precision.FLOAT32,
    winograd=True,
    channels_last=True,
)
CARD = Computing(
    device=Device.CUDA,
    name="NVIDIA GeForce RTX 4090",
    precision=Precision.BFLOAT16,
    fused=True,
    channels_last=True,
    tf32=True,
    products=True,
    recordings=True,
)
