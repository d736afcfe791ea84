"""Stands in for the cloud: the real Pulumi engine with local state, and an imitation of Google Cloud."""
