"""What ARCHITECTURE.md says is absent must be absent."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
from importlinter.cli import lint_imports

ROOT = Path(__file__).resolve().parents[1]
MODULES = sorted(
    path for package in ("engine", "gui", "resources") for path in (ROOT / package).rglob("*.py")
)
LONGEST = 350
TORCH = {"torch", "torchvision", "safetensors"}
QT = {"PySide6", "qasync", "pyqtgraph", "superqt"}
NETWORK = {"urllib.request", "http.client", "socket", "ssl", "torch.hub"}

COMPUTING = {"engine.distill", "engine.network", "engine.objective", "engine.run"}
"""The packages that need torch."""

TENSORS = {"engine.weights.checkpoints", "engine.weights.layout"}
"""The modules that read network weights with it."""


def _name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def _modules(package: str) -> set[str]:
    """All modules of a package by their full names, entry points left out."""
    paths = (ROOT / package).rglob("*.py")
    names = {".".join(path.relative_to(ROOT).with_suffix("").parts) for path in paths}
    return {name.removesuffix(".__init__") for name in names if not name.endswith("__main__")}


def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def _imported(nodes: Iterable[ast.AST]) -> Iterator[str]:
    """Every module named in import statements, and every name taken from one: `a`, `a.b`."""
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _loaded_by(modules: Iterable[str]) -> set[str]:
    """The top-level packages a fresh interpreter has loaded after importing these modules."""
    program = f"import {', '.join(sorted(modules))}, sys; print(*sys.modules)"
    run = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
    return {name.partition(".")[0] for name in run.stdout.split()}


def test_every_import_contract_is_kept(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    # It would silence every logger there is, for the tests that come after.
    monkeypatch.setattr("logging.config.dictConfig", lambda _: None)
    status = lint_imports(config_filename=str(ROOT / "pyproject.toml"), no_cache=True)
    assert status == 0, capsys.readouterr().out


def test_door_loads_neither_torch_nor_qt_before_it_knows_what_is_wanted() -> None:
    assert not _loaded_by({"main"}) & (TORCH | QT)


def test_nothing_imports_the_door() -> None:
    assert [_name(path) for path in MODULES if "main" in _imported(ast.walk(_tree(path)))] == []


def test_engine_loads_without_torch_until_a_job_starts_and_never_loads_qt() -> None:
    torch_free = {
        name
        for name in _modules("engine")
        if name not in TENSORS and ".".join(name.split(".")[:2]) not in COMPUTING
    }
    assert not _loaded_by(torch_free) & (TORCH | QT)


def test_window_loads_without_torch_and_without_the_plot_library() -> None:
    loaded = _loaded_by(_modules("gui"))
    assert "PySide6" in loaded
    assert not loaded & (TORCH | {"pyqtgraph"})


def test_only_one_module_talks_to_the_network() -> None:
    talkers = {_name(path) for path in MODULES if NETWORK & set(_imported(ast.walk(_tree(path))))}
    assert talkers == {"engine/weights/downloads.py"}


def test_only_one_module_has_a_qt_thread() -> None:
    owners = {
        _name(path)
        for path in MODULES
        if "PySide6.QtCore.QThread" in _imported(ast.walk(_tree(path)))
    }
    assert owners == {"gui/session/engine_thread.py"}


def test_every_module_says_in_one_sentence_why_it_exists() -> None:
    assert [_name(path) for path in (ROOT / "main.py", *MODULES) if not _opens_well(path)] == []


def test_every_module_can_be_read_in_one_sitting() -> None:
    lengths = {_name(path): len(path.read_text(encoding="utf-8").splitlines()) for path in MODULES}
    too_long = {name for name, lines in lengths.items() if lines > LONGEST}
    assert not too_long


def _opens_well(path: Path) -> bool:
    first_line = (ast.get_docstring(_tree(path)) or "").partition("\n")[0]
    return first_line.endswith((".", ":"))
