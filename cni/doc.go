// Package cni is the place of what runs on hosts: the host agent in cni/host,
// which tells what NICs a host has and who is at the other ends of their cables.
// The CNI plugin, a thin shim before that agent, is not built yet.
package cni
