"""An incident's numbered reports to superiors: when one is due, and what it says."""
