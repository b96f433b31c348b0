"""Real servers on loopback, each a process of its own that can be killed and started again on what it left,
and a proxy before them that can be cut. Benches and tests start them; `make services` fetches them."""
