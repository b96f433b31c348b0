"""The documented API: routes, OpenAPI, GeoJSON."""
