"""From what was asked to what is done, in how much memory and time; no torch."""
