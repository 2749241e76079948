// Package shim is the CNI plugin, which a runtime starts for every interface of
// every pod: it takes what the runtime says to the host agent and gives back what
// that answers. All knowledge is the agent's, so that this stays small and quick
// to start.
//
// While the agent is away an ADD fails with code 11, so that the runtime tries
// again. A DEL succeeds: pods have to be able to end on a node whose agent does
// not run, and the agent releases what they had when it finds that their network
// namespace is gone.
package shim
