"""The protocol of loudspeakers, and the judgement that each carries. What changes here must be understood
by boxes that were installed years ago."""
