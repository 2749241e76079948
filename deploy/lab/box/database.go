package box

import (
	"encoding/json"
	"fmt"
)

// configDB is the id of CONFIG_DB.
const configDB = 4

// database is an entry of DATABASES in database_config.json.
type database struct {
	ID        int    `json:"id"`
	Separator string `json:"separator"`
	Instance  string `json:"instance"`
}

// instance is an entry of INSTANCES: one redis-server.
type instance struct {
	Hostname   string `json:"hostname"`
	Port       int    `json:"port"`
	Socket     string `json:"unix_socket_path"`
	Persistent string `json:"persistence_for_warm_boot"`
}

// databaseConfig is the text of database_config.json, with the ids and
// separators of SONiC's docker-database.
func (cfg Config) databaseConfig() string {
	databases := map[string]database{}
	for _, db := range []struct {
		name      string
		id        int
		separator string
	}{
		{"APPL_DB", 0, ":"}, {"ASIC_DB", 1, ":"}, {"COUNTERS_DB", 2, ":"}, {"LOGLEVEL_DB", 3, ":"},
		{"CONFIG_DB", configDB, "|"}, {"PFC_WD_DB", 5, ":"}, {"FLEX_COUNTER_DB", 5, ":"},
		{"STATE_DB", 6, "|"}, {"SNMP_OVERLAY_DB", 7, "|"}, {"RESTAPI_DB", 8, "|"},
		{"GB_ASIC_DB", 9, ":"}, {"GB_COUNTERS_DB", 10, ":"}, {"GB_FLEX_COUNTER_DB", 11, ":"},
		{"CHASSIS_APP_DB", 12, "|"}, {"CHASSIS_STATE_DB", 13, "|"}, {"APPL_STATE_DB", 14, ":"},
		{"EVENT_DB", 19, "|"},
	} {
		databases[db.name] = database{ID: db.id, Separator: db.separator, Instance: "redis"}
	}
	text, err := json.MarshalIndent(map[string]any{
		"INSTANCES": map[string]instance{
			"redis": {Hostname: "127.0.0.1", Port: 6379, Socket: cfg.socket(), Persistent: "yes"},
		},
		"DATABASES": databases,
		"VERSION":   "1.0",
	}, "", "    ")
	if err != nil {
		panic(fmt.Sprintf("box: plain data that cannot be JSON: %v", err))
	}
	return string(text) + "\n"
}
