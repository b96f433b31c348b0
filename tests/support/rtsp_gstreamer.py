"""An RTSP server that is not ours: GStreamer's, as `python3` of the system runs it. Its own program, which
imports nothing of this house: launch line, user, password, file with certificate and key, port (0: any). It
prints its port, and `came` and `left` for each that connects.

    /usr/bin/python3 rtsp_gstreamer.py "( videotestsrc ! … ! rtph264pay name=pay0 )" user password tls.pem 0
"""

import sys
from typing import Any


def main(launch: str, user: str, password: str, certificate: str, port: str) -> None:
    import gi

    for name in ("Gst", "GstRtsp", "GstRtspServer"):
        gi.require_version(name, "1.0")
    from gi.repository import Gio, GLib, Gst, GstRtsp, GstRtspServer

    Gst.init(None)
    server = GstRtspServer.RTSPServer()
    server.set_address("127.0.0.1")
    server.set_service(port)
    factory = GstRtspServer.RTSPMediaFactory()
    factory.set_launch(launch)
    factory.set_shared(True)
    if user or certificate:
        auth = GstRtspServer.RTSPAuth()
        auth.set_supported_methods(GstRtsp.RTSPAuthMethod.DIGEST)
        if certificate:
            auth.set_tls_certificate(Gio.TlsCertificate.new_from_file(certificate))
        token = GstRtspServer.RTSPToken()
        token.set_string("media.factory.role", "looker")
        if user:
            auth.add_digest(user, password, token)
        else:
            auth.set_default_token(token)
        factory.add_role_from_structure(_role(Gst))
        server.set_auth(auth)
    server.connect("client-connected", _came)
    server.get_mount_points().add_factory("/cam", factory)
    server.attach(None)
    print(server.get_bound_port(), flush=True)
    GLib.MainLoop().run()


def _came(_server: Any, client: Any) -> None:
    print("came", flush=True)
    client.connect("closed", lambda _: print("left", flush=True))


def _role(gst: Any) -> Any:
    role = gst.Structure.new_empty("looker")
    for right in ("media.factory.access", "media.factory.construct"):
        role.set_value(right, True)
    return role


if __name__ == "__main__":
    main(*sys.argv[1:6])
