"""Yiping: the service of the one screen. Events, board, desk, feed, telemetry, accounts and their web edge."""

__version__ = "0.1.0"
