"""RTSP 1.0 over one TCP connection, media interleaved: how most cameras are reached."""

from streams.rtsp.reader import RtspReader

__all__ = ["RtspReader"]
