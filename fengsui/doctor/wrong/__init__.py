"""What can be wrong with a station, a loudspeaker or a person as a source, each with what to do about it, in
both languages. Pure."""
