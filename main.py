"""The door: pictures or nothing open the window; every other command works without one."""

from __future__ import annotations

import sys
from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Run Gramarye with command-line arguments and return the exit code."""
    try:
        from engine.cli import commands

        command = commands.parse(sys.argv[1:] if arguments is None else arguments)
        if isinstance(command, commands.OpenWindow):
            from gui.app.app import run_window

            return run_window(command.content, command.styles)
        return commands.run(command)
    except KeyboardInterrupt:  # while Python itself was still loading
        return 130


if __name__ == "__main__":
    sys.exit(main())
