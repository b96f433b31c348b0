"""HTTP, as the whole line serves and asks it: one door with its bounds, one way to ask, what operators ask
of a process. It knows no route of any stage. Whoever changes a bound here changes it for every door."""
