// Package protocol is what the CNI plugin and the host agent say to each other
// over a unix socket: one request, one answer, and the connection ends. The
// plugin passes on what the runtime gave it, unread, and the pod's network
// namespace as an open file, so that the agent needs to see neither the runtime's
// folders nor other processes.
//
// It imports next to nothing: the plugin is a program that starts for every pod, and
// what a package sets up before main is a part of the time that each pod takes.
package protocol

// Socket is where the agent listens.
const Socket = "/run/switchlet/cni.sock"

// Patience is how long the plugin waits for an answer, in seconds. The agent has
// given up before that.
const Patience = 60

// Supported are the versions of the CNI specification that are understood, in
// order.
func Supported() []string { return []string{"0.3.0", "0.3.1", "0.4.0", "1.0.0", "1.1.0"} }

// Newest is the last of them.
const Newest = "1.1.0"
