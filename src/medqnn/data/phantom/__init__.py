"""The embedded synthetic brain MRI slices: from an atlas's head to pixels and masks."""
