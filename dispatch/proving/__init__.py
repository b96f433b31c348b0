"""What proves that a call was answered and acted upon: the code that a message holds, and what an answer is
worth. Pure.
"""
