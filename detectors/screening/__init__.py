"""A batch of observations before any rule sees it: repeats, service, what is suspect or blind."""
