"""What is wrong with a data set: broken files, copies, leaks, shortcuts."""
