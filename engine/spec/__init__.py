"""What is asked: settings, pictures and jobs as values; no torch, no files."""
