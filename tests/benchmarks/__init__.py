"""Measurements to be run by hand; each prints a table, or one JSON object with `--json`."""
