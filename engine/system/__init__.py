"""What the operating system gives and takes: memory, processes, signals, streams and files."""
