"""叫应 Calls by a SIP trunk. SIP and sound are baresip's, a program of its own for each call: what becomes
of one ends neither another call nor this process. What a call means is `call.py`, pure."""
