"""People's photographs: made anew by a process of its own, and encrypted where they lie."""
