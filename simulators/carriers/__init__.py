"""Far ends of the ways out: phones behind a gateway, and a broadcast platform to try the channel with."""
