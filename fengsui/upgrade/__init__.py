"""An upgrade tried before it is made (`fengsui upgrade-check`): the stages of two builds as processes on one
run, changed one after the other while a storm goes on, and what must hold of it afterwards."""
