"""What nodes may do."""

NODE_ROLES = (
    "artifactregistry.reader",
    "logging.logWriter",
    "monitoring.metricWriter",
    "monitoring.viewer",
    "stackdriver.resourceMetadata.writer",
)
"""What a node needs: pull images, write logs and metrics (cloud.google.com/kubernetes-engine/docs/how-to/
hardening-your-cluster, 2026-08)."""
