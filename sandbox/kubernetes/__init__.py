"""The resource provider `kubernetes`: with a cluster it applies, without one it checks and records."""
