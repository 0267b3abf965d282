"""What machine this is, and the most that it can do."""

from __future__ import annotations

import platform
import subprocess
import time

import psutil
import torch

from engine.run import devices, trial
from tests.benchmarks.device.bench import Bench
from tests.benchmarks.device.timing import NUMBERS, convolution_rate, copy_rate, product_rate

_ASKED = "driver_version,clocks.sm,clocks.max.sm,clocks.mem,power.limit,temperature.gpu"


def measure(bench: Bench) -> None:
    """Note the versions, the card, and its ceilings."""
    bench.add("versions", _versions)
    bench.add("host", _host)
    if bench.card:
        bench.add("card", _card)
        bench.add("as found", _driver)
    for precision in ("auto", "float16", "float32"):
        bench.add(f"trial, {precision}", _trial, bench, precision)
    bench.add("copy, bytes per second", copy_rate, bench.device)
    for numbers in NUMBERS if bench.card else ("ieee",):
        bench.add(f"products, {numbers}", product_rate, bench.device, numbers)
        bench.add(f"convolutions, {numbers}", convolution_rate, bench.device, numbers)


def _trial(bench: Bench, precision: str) -> dict[str, object]:
    """What is left of these numbers when the device is tried, and the seconds that takes."""
    computing = devices.choose_computing(bench.settings(precision=precision))
    began = time.perf_counter()
    found = trial.checked(computing)
    tried = time.perf_counter()
    trial.proven(computing)
    known = time.perf_counter() - tried
    return {
        "words": found.words,
        "given up": [str(lost) for lost in found.given_up],
        "seconds": tried - began,
        "seconds once known": known,
    }


def _versions() -> dict[str, object]:
    return {
        "python": platform.python_version(),
        "torch": torch.__version__,
        "cuda": torch.version.cuda,
        "cudnn": torch.backends.cudnn.version(),  # type: ignore[no-untyped-call]
    }


def _host() -> dict[str, object]:
    return {
        "system": platform.platform(),
        "processor": platform.processor() or platform.machine(),
        "threads": torch.get_num_threads(),
        "memory": psutil.virtual_memory().total,
        "bfloat16": torch.cpu._is_amx_tile_supported() or torch.cpu._is_avx512_bf16_supported(),
    }


def _card() -> dict[str, object]:
    properties = torch.cuda.get_device_properties(0)
    free, total = torch.cuda.mem_get_info()
    return {
        "name": properties.name,
        "capability": [properties.major, properties.minor],
        "multiprocessors": properties.multi_processor_count,
        "total": total,
        "free": free,
        "architectures": torch.cuda.get_arch_list(),
        "bfloat16": torch.cuda.is_bf16_supported(including_emulation=False),
    }


def _driver() -> dict[str, str]:
    """As the driver's own tool tells it; nothing is set."""
    command = ["nvidia-smi", f"--query-gpu={_ASKED}", "--format=csv,noheader"]
    told = subprocess.run(command, capture_output=True, text=True, check=True, timeout=20)
    values = told.stdout.splitlines()[0].split(", ")
    return dict(zip(_ASKED.split(","), values, strict=True))
