"""What the operating system gives and takes: memory, signals, streams and files."""
