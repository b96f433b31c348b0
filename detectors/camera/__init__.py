"""Rules on pictures. OpenCV is loaded by `picture.py` alone."""
