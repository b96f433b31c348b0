"""How reliable the chances of forecasts are, on real records with whole events left out. Pure but for reading
files."""
