"""The documented API: routes, responses, OpenAPI, GeoJSON."""
