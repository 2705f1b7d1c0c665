"""What the business knows: documents, split and indexed, and the passages that fit a question."""
