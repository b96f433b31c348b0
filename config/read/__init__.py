"""CSV, TOML, GeoJSON and pictures as records. Every problem names file, row, column and what to do."""
