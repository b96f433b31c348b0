"""The stage address: who gets which warning by which ways, in which words. Pure."""
