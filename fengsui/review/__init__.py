"""What is said afterwards: after-action reports, incident reports, drills held."""
