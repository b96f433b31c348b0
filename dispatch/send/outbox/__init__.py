"""The queue of deliveries as a fold over the log: what is due, grouped, ended or not reached. Pure."""
