// Package cni is the place of the CNI plugin, a thin shim, and of the host
// agent in cni/host that does its work. Nothing of it is built yet.
package cni
