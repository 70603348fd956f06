"""The edge: HTTP and WebSocket. Nothing below this package knows the web framework."""
