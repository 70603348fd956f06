"""GB/T 28181: our SIP server for cameras and recorders that register with us, and the reader of their media.

A device registers, says what channels it has, and sends a channel's picture when invited. The server speaks to
all devices from one process; media goes straight to the worker that asked for it.
"""
