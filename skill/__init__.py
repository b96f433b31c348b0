"""How good warnings were: one definition of a hit for live after-action, drills, simulation and hindcast."""
