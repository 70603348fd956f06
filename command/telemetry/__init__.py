"""The telemetry lane: where everybody is now, told five times a second, and where everybody was.

Positions are not events: the newest one wins, nothing waits for a disk, and what is lost is healed by the
next report. `state` decides what to believe, `records` writes it in 16 bytes, `tick` sends it to the maps,
`history` keeps it.
"""
