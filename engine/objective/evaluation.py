"""SHIM."""
