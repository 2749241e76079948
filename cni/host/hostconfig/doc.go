// Package hostconfig follows the HostConfig of this node: it hands its spec on,
// keeps it on the disk for times when the API server is away, and writes its
// status.
package hostconfig
