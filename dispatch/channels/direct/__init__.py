"""Ways out without a carrier: our own loudspeakers and the duty room."""
