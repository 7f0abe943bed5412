"""A circuit's inner loops as machine code, which LLVM makes at the first use: no compiler needed.

Two kernels, the same for all circuits: ``states_batch`` applies a circuit to each image's state,
``matrix_batch`` multiplies a batch by the circuit's matrix. Both are recorded from Python functions
(``code``), and know neither tensors nor circuits, only what ``contract`` and ``memory`` say.
"""

from medqnn.kernels.loading import functions

__all__ = ["functions"]
