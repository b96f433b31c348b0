#!/bin/sh
# Starts `fengsui` with what is secret taken from files: for each NAME below, the file that NAME_FILE
# names. So no secret stands in a unit, a compose file or a command line. Exit code 78: a file that
# is named is not there, cannot be read or is empty.
set -eu

secret() { # NAME FILE
  [ -n "$2" ] || return 0
  if [ ! -r "$2" ]; then
    echo "fengsui: $1_FILE=$2: 读不到 cannot be read: does it exist, may $(id -un 2>/dev/null || id -u) read it?" >&2
    exit 78
  fi
  # one line; the assignment keeps the value out of every argument list
  IFS= read -r value <"$2" || [ -n "$value" ] || value=""
  if [ -z "$value" ]; then
    echo "fengsui: $1_FILE=$2: 是空的 is empty: write the value on its first line" >&2
    exit 78
  fi
  export "$1=$value"
}

secret FENGSUI_BROKER "${FENGSUI_BROKER_FILE:-}"
secret FENGSUI_LOG "${FENGSUI_LOG_FILE:-}"
secret FENGSUI_HISTORY "${FENGSUI_HISTORY_FILE:-}"
secret FENGSUI_INFLUX_TOKEN "${FENGSUI_INFLUX_TOKEN_FILE:-}"
unset value

exec fengsui "$@"
