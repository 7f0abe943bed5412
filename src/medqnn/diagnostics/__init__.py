"""What the circuits can do and what they contribute: questions that reviewers ask."""
