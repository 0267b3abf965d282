"""`weights`: network weights fetched, imported, or found."""

from __future__ import annotations

from engine.cli.console import download_with_progress
from engine.cli.options import WeightsOptions
from engine.cli.printing import print_text
from engine.weights import installed


def manage_weights(options: WeightsOptions) -> int:
    """Do what was asked and print the file that is used; returns the exit code.

    Raises:
        InputError: The file is no such network, or there is none.
        EngineError: The download failed, or the file's name could not be printed.
    """
    match options.command:
        case "download":
            print_text(str(download_with_progress(options.network, quiet=False)))
        case "import":
            assert options.file is not None, "argparse asks for it"
            print_text(str(installed.import_weights(options.file, options.network)))
        case "path":
            print_text(str(installed.find_weights(options.network)))
    return 0
