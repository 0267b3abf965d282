"""Makes the draft network: a small one that sees pictures nearly as VGG-19 does."""
