"""A picture through the network, and gradients back."""
