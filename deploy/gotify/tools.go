//go:build tools

// Package tools names what is built: see deploy/services.sh.
package tools

import _ "github.com/gotify/server/v2"
