"""What comes of a question that nobody has answered: deadlines, and offices that must all agree."""
