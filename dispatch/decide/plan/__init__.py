"""What the plan draws upon while it is carried out: supplies that are counted, draft orders, their signing."""
