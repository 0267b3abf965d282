"""The program itself, from the command line to the saved picture."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.benchmarks.device.bench import Bench

_ROOT = Path(__file__).resolve().parents[3]


def measure(bench: Bench) -> None:
    """Once with each network."""
    for network in ("draft", "vgg19"):
        bench.add(network, _rendered, bench, network, needs=5)


def _rendered(bench: Bench, network: str) -> dict[str, object]:
    size, more = (1024, ()) if bench.card else (64, ("--set", "steps=4"))
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder) / "pastiche.png"
        command = [sys.executable, "main.py", "render", bench.content_file]
        command += ["--style", bench.style_file, "--output", output, "--json", "--quiet"]
        command += ["--size", size, "--network", network, "--device", bench.device.type, *more]
        if network == "vgg19":
            command += ["--weights", bench.weights_of(bench.settings())]
        began = time.perf_counter()
        done = subprocess.run(
            [str(word) for word in command],
            cwd=_ROOT,
            capture_output=True,
            text=True,
            timeout=max(1, bench.left()),
        )
        taken = time.perf_counter() - began
        there = output.exists()
    if done.returncode:
        return {"code": done.returncode, "error": done.stderr[-1000:]}
    told = json.loads(done.stdout)
    return {
        "code": 0,
        "saved": there,
        "wall seconds": taken,
        "seconds": told["seconds"],
        "steps per second": told["steps"] / told["seconds"],
        "told": told,
    }
