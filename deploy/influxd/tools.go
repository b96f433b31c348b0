//go:build tools

// Package tools names what is built: see deploy/services.sh.
package tools

import _ "github.com/influxdata/influxdb/v2/cmd/influxd"
