package metrics

// Agent has the metrics of the agent. Its fields are documented by their help
// texts, and each is safe for use by several goroutines.
type Agent struct {
	Set *Set

	Info            *Metric
	Revision        *Metric
	OwnedRows       *Metric
	Commands        *Metric
	MarkerWait      *Metric
	Rollbacks       *Metric
	BadRevision     *Metric
	Drift           *Metric
	Violations      *Metric
	Quarantined     *Metric
	LastChange      *Metric
	RedisReconnects *Metric
	Saves           *Metric
	Probes          *Metric

	DrainAsked   *Metric
	DrainInForce *Metric
	Drained      *Metric
	DrainPorts   *Metric
	DrainTraffic *Metric
	DrainStart   *Metric
	LastDrain    *Metric
}

// NewAgent has all metrics, those without labels at zero.
func NewAgent() *Agent {
	s := NewSet()
	return &Agent{
		Set:             s,
		Info:            s.Gauge("switchlet_agent_info", "The agent's version and that of SONiC. Always 1.", "version", "nos_version"),
		Revision:        s.Gauge("switchlet_agent_applied_revision_info", "The revision of the SwitchConfig that is in force. Always 1.", "revision"),
		OwnedRows:       s.Gauge("switchlet_agent_owned_rows", "Rows of CONFIG_DB that are the agent's.", "table"),
		Commands:        s.Counter("switchlet_agent_commands_total", "Commands written to CONFIG_DB."),
		MarkerWait:      s.Counter("switchlet_agent_marker_wait_seconds_total", "Time spent waiting for SONiC's daemons to take what was written."),
		Rollbacks:       s.Counter("switchlet_agent_rollbacks_total", "Changes that were taken back because something that worked before them did not work after them."),
		BadRevision:     s.Gauge("switchlet_agent_bad_revision", "1 if the newest revision was taken back and is not tried again."),
		Drift:           s.Counter("switchlet_agent_drift_total", "Changes of the agent's rows by somebody else.", "table"),
		Violations:      s.Gauge("switchlet_agent_violations", "Violations of the switch's YANG models by the wanted rows."),
		Quarantined:     s.Gauge("switchlet_agent_quarantined_owners", "Owners, such as VPCs, of which something is not in force."),
		LastChange:      s.Gauge("switchlet_agent_last_change_seconds", "Time that the stages of the last change of CONFIG_DB took.", "stage"),
		RedisReconnects: s.Counter("switchlet_agent_redis_reconnects_total", "Times that the connection to Redis was lost."),
		Saves:           s.Counter("switchlet_agent_saves_total", "Attempts to put the agent's rows into config_db.json.", "outcome"),
		Probes:          s.Gauge("switchlet_agent_probe_works", "1 if what was probed worked when it was last asked, 0 if it was broken.", "probe"),

		DrainAsked:   s.Gauge("switchlet_agent_drain_asked", "1 if the switch is to be free of traffic."),
		DrainInForce: s.Gauge("switchlet_agent_drain_in_force", "1 if neighbours in BGP are asked to go elsewhere and the ports of hosts are off."),
		Drained:      s.Gauge("switchlet_agent_drained", "1 if no traffic is left on a switch that is drained."),
		DrainPorts:   s.Gauge("switchlet_agent_drain_ports_off", "Ports that are switched off because the switch is drained."),
		DrainTraffic: s.Gauge("switchlet_agent_drain_traffic_bytes_per_second", "What a port that has to be free of traffic received or sent, whichever is more, when it was last looked. Only while a drain waits for it.", "port"),
		DrainStart:   s.Gauge("switchlet_agent_drain_start_timestamp_seconds", "When the drain began that is not over, in seconds since 1970; 0 if there is none."),
		LastDrain:    s.Gauge("switchlet_agent_last_drain_seconds", "How long the last drain took until no traffic was left; 0 if there was none since the agent started."),
	}
}
