"""Write a kernel's image to standard output: ``python -m medqnn.kernels.making KERNEL BITS``.

Nothing else imports this module.
"""

from __future__ import annotations

import sys

from medqnn.kernels.kept import MARK, sealed
from medqnn.kernels.machine import image
from medqnn.kernels.recorded import recorded

kernel, bits = sys.argv[1:3]
sys.stdout.buffer.write(MARK + sealed(image(recorded(kernel, int(bits)))))  # type: ignore[arg-type]
