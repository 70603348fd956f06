"""Cameras without web or incidents: their sources, the hub and the health of their pictures."""
