"""Far ends of the ways out: phones behind a gateway, and a broadcast platform to try the channel with."""

# whether a far end is to end; http.server and socketserver look every half second, and a drill waits for it
LOOKS_EVERY_S = 0.05
