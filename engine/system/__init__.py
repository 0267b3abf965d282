"""What the operating system gives and takes: memory, signals and streams."""
