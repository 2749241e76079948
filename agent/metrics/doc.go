// Package metrics counts what the agent does and shows it to Prometheus, by a
// file for node_exporter's textfile collector or, if somebody asks for it, by
// HTTP. Without either, nothing is open and nothing is written.
//
// It writes the text format (version 0.0.4) itself: Prometheus's own library
// would take 2 MiB of the 40 MiB that the agent may use on a switch.
package metrics
