"""Rules on a whole storm: its quantities, a score in log odds, and the chance that it stands for. Tables of
past storms (`skill.tables`) are fitted with the same quantities."""
