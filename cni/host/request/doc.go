// Package request reads what a container runtime asks for: the network
// configuration of a NetworkAttachmentDefinition, the variables beside it, and
// what Multus adds for one pod. What it returns is typed and valid in itself;
// whether there is such a network is not its business. It computes only.
package request
