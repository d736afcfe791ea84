"""A real Kubernetes API server with the real Kueue, as processes of this machine."""
