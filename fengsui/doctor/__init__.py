"""`fengsui doctor`: what was last heard from a station at which layer, what is wrong and what to do. It reads a
run and asks whether a port answers, and changes nothing."""
