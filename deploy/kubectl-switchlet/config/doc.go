// Package config has the commands of kubectl switchlet config: they are about the
// configuration of a switch, CONFIG_DB, and need no cluster.
package config
