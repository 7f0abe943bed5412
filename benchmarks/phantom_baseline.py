"""How far trivial statistics get on the phantom, and how fast it is made.

A data set whose classes a linear model on thumbnails or grey levels can tell apart would say
nothing about a network that learns it. Run: python benchmarks/phantom_baseline.py
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from medqnn.data.phantom.atlas import load_atlas
from medqnn.data.phantom.table import phantom_table

PERCENTILES = (1, 5, 25, 50, 75, 90, 95, 99, 99.9)


def thumbnails(images: np.ndarray, side: int) -> np.ndarray:
    """Block means, (n, side²)."""
    count, size = len(images), images.shape[1]
    block = size // side
    return images.reshape(count, side, block, side, block).mean(axis=(2, 4)).reshape(count, -1)


def intensities(images: np.ndarray) -> np.ndarray:
    """Mean, standard deviation and percentiles, (n, 11)."""
    flat = images.reshape(len(images), -1)
    return np.vstack([flat.mean(1), flat.std(1), np.percentile(flat, PERCENTILES, axis=1)]).T


def histograms(images: np.ndarray, bins: int = 64) -> np.ndarray:
    """Share of the pixels in each of ``bins`` grey-level bins, (n, bins)."""
    return np.stack([np.histogram(i, bins, (0, 256))[0] / i.size for i in images])


def accuracies(features: np.ndarray, labels: np.ndarray, patients: np.ndarray) -> np.ndarray:
    """Accuracy of the best of three penalties in each of 5 folds of whole patients.

    The penalty is the best on the test folds themselves: the figure favours the baseline.
    """
    folds = GroupKFold(5, shuffle=True, random_state=0)
    scores = []
    for penalty in (0.0001, 0.01, 1.0):
        model = make_pipeline(StandardScaler(), LogisticRegression(C=penalty, max_iter=3000))
        scores.append(cross_val_score(model, features, labels, groups=patients, cv=folds))
    return max(scores, key=np.mean)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=1200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path, help="write the figures to this file, too")
    options = parser.parse_args()
    table = phantom_table(options.images, options.seed)
    load_atlas()
    start = time.perf_counter()
    images = np.stack([table.read(row).image for _, row in table.rows.iterrows()])
    rate = len(images) / (time.perf_counter() - start)
    labels, patients = table.rows["label"].to_numpy(), table.rows["patient"].to_numpy()
    features = {
        "mean intensity": images.mean(axis=(1, 2))[:, None],
        "mean, deviation, 9 percentiles": intensities(images),
        "histogram, 64 bins": histograms(images),
        "8x8 pixels": thumbnails(images, 8),
        "16x16 pixels": thumbnails(images, 16),
    }
    found = {name: accuracies(values, labels, patients) for name, values in features.items()}
    chance = float(table.rows["label"].value_counts(normalize=True).max())
    print(f"SYNTHETIC phantom, {len(images)} images, {table.rows['patient'].nunique()} patients")
    print(f"{rate:.0f} slices a second at 128x128\n")
    print(f"{'logistic regression on':32s} accuracy, 5 folds of whole patients")
    print(f"{'chance (largest class)':32s} {chance:.3f}")
    for name, folds in found.items():
        print(f"{name:32s} {folds.mean():.3f} ± {folds.std(ddof=1):.3f}")
    if options.json:
        result = {name: folds.tolist() for name, folds in found.items()}
        options.json.write_text(json.dumps({"chance": chance, "slices_a_second": rate, **result}))


if __name__ == "__main__":
    main()
