"""The Pulumi program: turns a plan into resources, decides nothing."""
