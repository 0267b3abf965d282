"""Settles on one machine what only its graphics card can show; see `__main__`."""
