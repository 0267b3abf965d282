"""What a job takes: how it is done, in how much memory and time; no torch."""
