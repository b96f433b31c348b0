"""What simulated cameras see: a gully, and a staff at a river. Pictures whose truth is known, from a seed."""
