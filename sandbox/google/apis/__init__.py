"""The REST side of the imitation: the APIs that headroom asks, answered from the same world; read only."""
