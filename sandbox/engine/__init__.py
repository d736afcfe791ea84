"""The real Pulumi engine on this machine: where the CLI comes from, the language host, the workspace."""
