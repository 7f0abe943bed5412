"""What a noisy device and finite shots would leave of a run's networks."""
