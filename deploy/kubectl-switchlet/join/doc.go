// Package join is kubectl switchlet join-token and join-script: what it takes to
// make a SONiC switch a node.
package join
