"""An incident's reports on paper: one page each, two at the end, and what may be added to them."""
