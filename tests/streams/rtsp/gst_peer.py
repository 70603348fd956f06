"""An RTSP server that is not ours: gst-rtsp-server, run with the system's own Python.

``gst_peer.py check`` says whether it can run here; otherwise: ``gst_peer.py digest|basic PIPELINE PASSWORD``.
"""

import sys

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtsp", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtsp, GstRtspServer  # noqa: E402

Gst.init(None)
ELEMENTS = "x264enc x265enc rtph264pay rtph265pay alawenc rtppcmapay voaacenc rtpmp4gpay".split()


def main() -> None:
    scheme, pipeline, password = sys.argv[1:]
    server = GstRtspServer.RTSPServer()
    server.set_address("127.0.0.1")
    server.set_service("0")
    token = GstRtspServer.RTSPToken()
    token.set_string("media.factory.role", "user")
    auth = GstRtspServer.RTSPAuth()
    if scheme == "digest":
        auth.set_supported_methods(GstRtsp.RTSPAuthMethod.DIGEST)
        auth.add_digest("admin", password, token)
    else:
        auth.set_supported_methods(GstRtsp.RTSPAuthMethod.BASIC)
        auth.add_basic(GstRtspServer.RTSPAuth.make_basic("admin", password), token)
    server.set_auth(auth)
    factory = GstRtspServer.RTSPMediaFactory()
    factory.set_launch(pipeline)
    role = "user,media.factory.access=true,media.factory.construct=true"
    factory.add_role_from_structure(Gst.Structure.new_from_string(role))
    server.get_mount_points().add_factory("/main", factory)
    server.attach(None)
    sys.stdout.write(f"{server.get_bound_port()}\n")
    sys.stdout.flush()
    GLib.MainLoop().run()


if __name__ == "__main__":
    if sys.argv[1:] == ["check"]:
        missing = [name for name in ELEMENTS if Gst.ElementFactory.find(name) is None]
        sys.exit(f"no {', '.join(missing)}" if missing else 0)
    main()
