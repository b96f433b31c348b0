"""Sparkplug B 3.0 payloads: protobuf bytes to metrics with their places, and the two things a host writes.

Why this reads protobuf itself: a dead letter names the byte and the metric, one damaged metric must not cost
the others, and `fengsui decode` shows where each field stands; Google's package reads a whole payload or
nothing and says no place. What is needed of the format is four wire types. The tests hold it against two
implementations of Sparkplug, one of which is made with that package. Field numbers: sparkplug_b.proto of the
Eclipse specification."""
