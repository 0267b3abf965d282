"""The loop: devices, targets, optimisers, and the job from its first step to its last."""
