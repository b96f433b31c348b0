"""What people write back, word by word: the code of an answer, who goes out and comes back. Pure."""
