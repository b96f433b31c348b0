"""The county's emergency broadcast platform as a way out, and the door at which it answers later."""
