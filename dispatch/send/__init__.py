"""The stage send: attempts, receipts, health of the ways out."""
