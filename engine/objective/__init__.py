"""What is minimised, from features to a value and its slopes."""
