"""The district's stations as OGC SensorThings 1.1, to be read: entities of the tables, Observations of history.
It writes nothing. Pure but for the history that it is handed."""
