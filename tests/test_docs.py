"""The documents must say what the program does: what it declares is printed, what they show is run.

After a change of a setting, preset or shortcut, write the README's tables anew with

    GRAMARYE_WRITE_DOCS=1 QT_QPA_PLATFORM=offscreen python -m pytest tests/test_docs.py
"""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import QApplication

from engine import __version__, cli
from engine.listings import default_text
from engine.parameters import Group, Kind, Parameter
from engine.preset_store import preset_named
from engine.presets import builtin_presets
from engine.settings import DEFAULTS, PARAMETERS
from gui.actions import ROWS, Row

ROOT = Path(__file__).resolve().parents[1]
DOCUMENTS = tuple(sorted(ROOT.glob("*.md")))
README = ROOT / "README.md"


def settings_tables() -> str:
    """Every parameter, group by group, as the declaration has it."""
    tables = []
    for group in Group:
        rows = [_setting(row) for row in PARAMETERS if row.group is group]
        head = ("setting", "name", "default", "values", "what it does")
        tables.append(f"### {group}\n\n{_table(head, rows)}")
    return "\n\n".join(tables)


def presets_table() -> str:
    """The presets that ship."""
    rows = [(f"**{preset.name}**", preset.description) for preset in builtin_presets()]
    return _table(("preset", "what it does"), rows)


def shortcuts_table() -> str:
    """The keys of all actions that have some."""
    rows = [(_keys(row), row.tip) for row in ROWS.values() if row.shortcut]
    return _table(("keys", "what they do"), rows)


SECTIONS: dict[str, Callable[[], str]] = {
    "presets": presets_table,
    "settings": settings_tables,
    "shortcuts": shortcuts_table,
}


@pytest.mark.parametrize("name", SECTIONS)
def test_readme_table_says_what_the_program_declares(name: str, qapp: QApplication) -> None:
    before, table, after = _around(README.read_text(encoding="utf-8"), name)
    declared = f"\n\n{SECTIONS[name]()}\n\n"
    if os.environ.get("GRAMARYE_WRITE_DOCS"):
        README.write_text(before + declared + after, encoding="utf-8")
    else:
        assert table == declared


def test_every_command_in_the_documents_is_understood(capsys: pytest.CaptureFixture[str]) -> None:
    commands = [words for document in DOCUMENTS for words in _commands(document)]
    assert len(commands) > 5
    for words in commands:
        try:
            command = cli.parse(words)
        except SystemExit:
            pytest.fail(f"{shlex.join(words)}: {capsys.readouterr().err}")
        if isinstance(command, cli.Headless) and words[0] == "render":
            _check_settings(command)


def test_every_picture_and_page_the_documents_point_to_is_there() -> None:
    for document in DOCUMENTS:
        text = document.read_text(encoding="utf-8")
        for target in re.findall(r"\]\((?!https:)([^)]+)\)", text):
            place, _, heading = target.partition("#")
            assert not place or (ROOT / place).is_file(), f"{document.name} points to {target}"
            assert not heading or heading in _headings(text), f"{document.name} has no {target}"


@pytest.mark.parametrize("package", ["engine", "gui"])
def test_code_map_names_every_module(package: str) -> None:
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    section = text.partition(f"\n### {package}/")[2].partition("\n##")[0]
    modules = {path.name for path in (ROOT / package).glob("*.py")} - {"__init__.py"}
    assert set(re.findall(r"`(\w+\.py)`", section)) == modules


def test_changelog_tells_of_this_version() -> None:
    assert f"\n## [{__version__}]" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def _setting(row: Parameter) -> tuple[str, ...]:
    label = f"**{row.label}**" + (f" ({row.term})" if row.term else "")
    help_text = row.help
    if row.relevant is not None:
        other, values = row.relevant
        words = " or ".join(f"`{value}`" for value in values)
        help_text += f" Only matters if `{other}` is {words}."
    if row.live:
        help_text += " *Live.*"
    return label, f"`{row.name}`", f"`{default_text(row)}`", _values(row), help_text


def _values(row: Parameter) -> str:
    if row.kind is Kind.CHOICE:
        return ", ".join(f"`{choice}`" for choice in row.choices)
    if row.kind is Kind.LAYERS:
        return "layers with weights"
    if row.kind is Kind.TILE:
        return "`auto`, `none`, 16 to 16384 px"
    return f"{row.low:.10g} to {row.high:.10g} {row.unit}".rstrip()


def _keys(row: Row) -> str:
    return f"`{QKeySequence(row.shortcut).toString(QKeySequence.SequenceFormat.PortableText)}`"


def _table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    lines = [head, ("---",) * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _around(text: str, name: str) -> tuple[str, str, str]:
    """What stands before, in and after a section that is written from declarations."""
    begin, end = f"<!-- begin {name} -->", f"<!-- end {name} -->"
    before, table, after = re.split(f"(?<={begin})|(?={end})", text)
    return before, table, after


def _commands(document: Path) -> list[list[str]]:
    """The arguments of every call of Gramarye in a document's shell blocks."""
    blocks = re.findall(r"```sh\n(.*?)```", document.read_text(encoding="utf-8"), re.DOTALL)
    calls = re.findall(r"bin/python main\.py(.*)", "\n".join(blocks))
    return [shlex.split(call) for call in calls]


def _check_settings(command: cli.Headless) -> None:
    settings = DEFAULTS
    if command.arguments.preset:
        settings = preset_named(command.arguments.preset).applied_to(settings)
    settings.changed(**dict(text.split("=", 1) for text in command.arguments.assignments))


def _headings(text: str) -> set[str]:
    """The anchors that a page's headings make."""
    titles = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}
