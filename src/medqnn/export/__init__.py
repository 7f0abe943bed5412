"""A trained run for other programs: ONNX, OpenQASM 3, Qiskit, PennyLane, and what it would cost."""
