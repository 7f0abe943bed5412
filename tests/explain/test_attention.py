from __future__ import annotations

import numpy as np
import torch

from explain.toys import frozen
from medqnn.explain.methods import METHODS
from medqnn.training.assess import attention_maps
from models.small import images, small


def test_the_map_is_the_one_that_is_scored_against_masks() -> None:
    model, batch = frozen(small("hqcm-ebtc")), images("hqcm-ebtc", 3)
    for scale in model.spatial_attention.scales:
        scale.weight *= 300.0  # as far from 1/2 as a trained network's
    maps = METHODS["attention"](model, batch, torch.zeros(3, dtype=torch.int64))
    logits = model(batch).attention[:, 0].numpy()
    assert maps.max() - maps.min() > 0.1
    np.testing.assert_allclose(maps.numpy(), attention_maps(logits, 32), rtol=0, atol=1e-6)
