"""Measurements to be run by hand; each prints a table, or one JSON object with `--json`."""

import engine  # noqa: F401  Before torch, which it tells how to wait, as in the program.
