"""A finished run's circuits on PennyLane's devices: simulators and hardware."""
