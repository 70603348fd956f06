"""Names under which video tells monitoring what it does.

A name may carry one label in braces, ``streams{process="media-0"}``; whoever exports them puts a prefix before it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from streams.hub import Hub
from streams.opens import Opens
from streams.supervisor import Process

__all__ = ["HELP", "figures"]

HELP: Final = {
    "up": "1 while the process runs and knows all it must",
    "restarts": "How often the process had to be replaced",
    "streams": "Cameras being pulled",
    "live": "Of these, with pictures",
    "pictures": "Pictures read",
    "media_bytes": "Bytes of media sent to the web process",
    "fragments_skipped": "Fragments left out because the web process did not keep up",
    "opens": "Sessions opened",
    "failures": "Sessions that could not be opened or broke off",
    "ring_bytes": "Media kept for clips",
    "transcodes": "Streams being encoded anew",
    "cpu_s": "Processor time",
    "rss_bytes": "Resident memory",
    "open_files": "File descriptors",
    "channels": "Variants of cameras that are watched",
    "viewers": "Tiles that watch",
    "viewer_skips": "How often a viewer was skipped to the next key frame",
    "viewers_closed_slow": "Viewers let go because they took nothing",
    "cached_bytes": "Media kept for later viewers",
    "opens_delayed": "Sessions that had to wait their turn at a host",
}
"""What each figure says; counters of a process begin again with it."""


def figures(processes: Iterable[Process], hub: Hub, opens: Opens) -> dict[str, float]:
    """Return all figures by name."""
    found: dict[str, float] = {
        "channels": len(hub),
        "viewers": hub.viewers,
        "viewer_skips": hub.skips,
        "viewers_closed_slow": hub.closed_slow,
        "cached_bytes": hub.cached_bytes,
        "opens_delayed": opens.delayed,
    }
    for process in processes:
        beat = process.beat
        values: dict[str, float] = {
            "up": process.ready,
            "restarts": process.restarts,
            "cpu_s": beat.cpu_s,
            "rss_bytes": beat.rss_bytes,
            "open_files": beat.open_files,
        }
        if process.role == "media":
            values |= {
                "streams": beat.streams,
                "live": beat.live,
                "pictures": beat.pictures,
                "media_bytes": beat.bytes,
                "fragments_skipped": beat.skipped,
                "opens": beat.opens,
                "failures": beat.failures,
                "ring_bytes": beat.ring_bytes,
                "transcodes": beat.transcodes,
            }
        for name, value in values.items():
            found[f'{name}{{process="{process.name}"}}'] = float(value)
    return found
