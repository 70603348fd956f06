"""Drawn cameras that speak real protocols: for the demo and for tests.

Nothing here knows the service, and the service does not know this package: it is met over the network only.
"""
