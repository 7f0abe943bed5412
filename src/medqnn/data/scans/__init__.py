"""DICOM and NIfTI: which files, which slices, which pixels, and no names of patients."""
