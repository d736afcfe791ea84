"""A pipeline of each kind, small and real, that exports what the platform's alerts look at."""
