"""The stage decide: the life of a warning, who may release, change and end it. Pure."""
