"""Packets of the emergency broadcast platforms 应急广播 (GD/J 080 … 083-2018, as deployed platforms speak
them): bytes in, records out, and back. Pure, and without any import of the rest: it could be a package
of its own. No standard's text could be had: what stands here is what public implementations and
captured messages agree on, and where they do not, `Form` chooses."""
