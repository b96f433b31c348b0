"""How often a thing is done: the wait before what is away is asked again, so many in a while for each
name; and whether a time service keeps the clock. Times come in, or are waited for by an event that
stops them; nothing here knows what is done."""
