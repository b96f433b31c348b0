"""Skill of a district's rules in words, and the account of outcomes."""
