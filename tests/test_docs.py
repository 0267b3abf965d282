"""The documents must say what the program does: what it declares is printed, what they show is run.

After a change of a setting, preset or shortcut, write the README's tables anew with

    GRAMARYE_WRITE_DOCS=1 QT_QPA_PLATFORM=offscreen python -m pytest tests/test_docs.py
"""

from __future__ import annotations

import ast
import os
import re
import shlex
from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import QApplication

from engine import __version__
from engine.cli import commands
from engine.cli.listings import default_text
from engine.spec.limits import LONGEST_SIDE
from engine.spec.parameters import Group, Kind, Parameter
from engine.spec.settings import DEFAULTS, PARAMETER, PARAMETERS
from engine.spec.tiles import SMALLEST_TILE
from engine.storage.preset_store import preset_named
from engine.storage.presets import builtin_presets
from gui.app.actions import Action, Row
from resources import LOOKS
from resources.looks import page as looks

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
    rows = [(_keys(action.row), action.row.tip) for action in Action if action.row.keys]
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


def test_the_page_of_looks_says_what_the_program_declares() -> None:
    if os.environ.get("GRAMARYE_WRITE_DOCS"):
        looks.PAGE.write_text(looks.page(), encoding="utf-8")
    else:
        assert looks.PAGE.read_text(encoding="utf-8") == looks.page()


def test_the_page_of_looks_shows_every_picture_there_is_and_no_other() -> None:
    assert _pictures(looks.page()) == {file.name for file in LOOKS.glob("*.jpg")}


def test_every_preset_has_a_picture_of_its_own_and_every_strip_differs() -> None:
    text = looks.page()
    sections = dict(re.findall(r"^### (.+)\n([^#]*)", text, re.MULTILINE))
    shown = [_pictures(sections[preset.name]) for preset in builtin_presets()]
    assert all(shown)
    assert len(set().union(*shown)) == sum(map(len, shown))
    for strip in looks.STRIPS:
        assert len(_pictures(sections[PARAMETER[strip.setting].label])) > 1


def test_every_command_in_the_documents_is_understood(capsys: pytest.CaptureFixture[str]) -> None:
    told = [words for document in DOCUMENTS for words in _commands(document)]
    assert len(told) > 5
    for words in told:
        try:
            command = commands.parse(words)
        except SystemExit:
            pytest.fail(f"{shlex.join(words)}: {capsys.readouterr().err}")
        if isinstance(command, commands.Headless) and words[0] == "render":
            _check_settings(command)


def test_every_picture_and_page_the_documents_point_to_is_there() -> None:
    for document in DOCUMENTS:
        text = document.read_text(encoding="utf-8")
        for target in re.findall(r"\]\((?!https:)([^)]+)\)", text):
            place, _, heading = target.partition("#")
            assert not place or (ROOT / place).is_file(), f"{document.name} points to {target}"
            assert not heading or heading in _headings(text), f"{document.name} has no {target}"


@pytest.mark.parametrize("top", ["engine", "gui"])
def test_architecture_names_every_package_with_its_own_sentence(top: str) -> None:
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    section = text.partition(f"\n### {top}/")[2].partition("\n##")[0]
    rooms = dict(re.findall(r"^\| `(\w+)` \| (.+) \|$", section, re.MULTILINE))
    files = sorted((ROOT / top).glob("*/__init__.py"))
    told = {path.parent.name: ast.get_docstring(ast.parse(path.read_text())) for path in files}
    assert rooms == told


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
        return ", ".join(f"`{word}`" for word in row.words)
    if row.kind is Kind.LAYERS:
        return "layers with weights"
    if row.kind is Kind.TILE:
        return f"`auto`, `none`, {SMALLEST_TILE} to {LONGEST_SIDE} px"
    return f"{row.low:.10g} to {row.high:.10g} {row.unit}".rstrip()


def _keys(row: Row) -> str:
    return f"`{QKeySequence(row.keys).toString(QKeySequence.SequenceFormat.PortableText)}`"


def _table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    lines = [head, ("---",) * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _around(text: str, name: str) -> tuple[str, str, str]:
    """What stands before, in and after a section that is written from declarations."""
    begin, end = f"<!-- begin {name} -->", f"<!-- end {name} -->"
    before, table, after = re.split(f"(?<={begin})|(?={end})", text)
    return before, table, after


def _pictures(text: str) -> set[str]:
    """The files of the pictures that Markdown shows."""
    return set(re.findall(r"!\[[^\]]*\]\(([^)]+)\)", text))


def _commands(document: Path) -> list[list[str]]:
    """The arguments of every call of Gramarye in a document's shell blocks."""
    blocks = re.findall(r"```sh\n(.*?)```", document.read_text(encoding="utf-8"), re.DOTALL)
    calls = re.findall(r"bin/python main\.py(.*)", "\n".join(blocks))
    return [shlex.split(call) for call in calls]


def _check_settings(command: commands.Headless) -> None:
    settings = DEFAULTS
    if command.arguments.preset:
        settings = preset_named(command.arguments.preset).preset.applied_to(settings)
    settings.changed(**dict(text.split("=", 1) for text in command.arguments.assignments))


def _headings(text: str) -> set[str]:
    """The anchors that a page's headings make."""
    titles = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}
