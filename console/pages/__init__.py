"""What each page shows. Pure but for the feed."""
