"""Write a kernel's image to standard output: ``python -m medqnn.kernels KERNEL BITS``."""

from __future__ import annotations

import sys

from medqnn.kernels.kept import sealed
from medqnn.kernels.machine import image
from medqnn.kernels.recorded import recorded

kernel, bits = sys.argv[1:]
sys.stdout.buffer.write(sealed(image(recorded(kernel, int(bits)))))  # type: ignore[arg-type]
