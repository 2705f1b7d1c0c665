"""Answers by language models: providers, failover, what a model is told, and the log of its calls."""
