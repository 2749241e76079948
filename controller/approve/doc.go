// Package approve approves the first certificate of a switch's kubelet, if the token
// that asks for it is of that very switch.
//
// Kubernetes can approve such requests by itself, but then for any node's name: with
// one token one can be every switch. Here a token has a group that names its switch
// (see package group); a request for another name is denied, and so is one for a
// switch that the cluster has already, unless the token was made for that.
package approve
