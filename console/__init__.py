"""The duty room: pages, acts and their API. It decides nothing: an act is a record like any other."""
