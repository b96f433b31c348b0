"""What goes out of a run and comes back: backups, exports, certificates, broker configurations."""
