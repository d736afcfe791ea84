"""A Pulumi program of its own, with local state, that an admin runs once for each project."""
