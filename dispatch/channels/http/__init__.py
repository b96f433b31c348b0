"""Channels by HTTP: gateways, webhooks, and the door for their receipts."""
