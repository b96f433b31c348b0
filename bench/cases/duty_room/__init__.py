"""The duty room: figures of its pages, the first screen at the peak of a storm, two officers at work."""
