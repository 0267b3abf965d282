"""The command line: words in, pictures and JSON out."""
