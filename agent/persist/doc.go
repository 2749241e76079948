// Package persist puts the agent's rows into /etc/sonic/config_db.json, from
// which SONiC loads CONFIG_DB at boot and at `config reload`. What is somebody
// else's in that file stays as it is, and what somebody else has in CONFIG_DB
// without having saved it stays unsaved.
package persist
