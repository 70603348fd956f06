"""What only FFmpeg can open or decode, each in a process of its own.

A camera that speaks RTSP over TLS, RTP over UDP, FLV, HLS or RTMP, and every picture that a browser cannot show,
goes through FFmpeg's C code with input that nobody controls. That code runs in a child process
(``python -m streams.libav``) that holds no secret but this camera's own: when it crashes, one picture is gone.
"""
