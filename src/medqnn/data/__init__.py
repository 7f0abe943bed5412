"""Data sets as tables: sources, splits, the decoded cache and augmentation."""
