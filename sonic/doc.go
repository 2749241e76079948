// Package sonic knows SONiC's CONFIG_DB: what its rows are, which row needs
// which, and how to get from the rows that are there to the rows that are
// wanted without touching anybody else's.
//
// It is pure: no Redis, no Kubernetes, no clock. The way through it is
//
//	typed rows (VLAN, VRF, TunnelMap, …) → DB
//	Diff(have, want, owned)              → Plan: ordered stages, conflicts, what to record as owned
//
// Where a comment names a YANG model, it is the one that community SONiC
// installs in /usr/local/yang-models.
package sonic
