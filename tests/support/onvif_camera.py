"""A camera with ONVIF that is not ours: ipycam, its device and media services and its snapshot, without its
streams. Its own program: `python onvif_camera.py USER PASSWORD`; it prints its port."""

import sys
from http.server import ThreadingHTTPServer


def main(user: str, password: str) -> None:
    import numpy as np
    from ipycam.camera import IPCamera
    from ipycam.config import CameraConfig
    from ipycam.http import IPCameraHTTPHandler

    server = ThreadingHTTPServer(("127.0.0.1", 0), IPCameraHTTPHandler)
    port = server.server_address[1]
    # it calls itself by an address at which nobody reaches it, as a camera behind a router does
    config = CameraConfig(local_ip="192.0.2.77", onvif_port=port, username=user, password=password)
    camera = IPCamera(config)
    rows = np.arange(360, dtype=np.uint8)[:, None, None]
    camera._last_frame = np.broadcast_to(rows, (360, 640, 3)).copy()
    IPCameraHTTPHandler.camera = camera
    print(port, flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main(*sys.argv[1:3])
