// Package attach does what container runtimes ask for: it gives pods interfaces in
// networks, takes them away, and sees to it that both stay so. It asks nobody: what
// it has to know is in the host's networks and in the journal, and what it has done
// is in the kernel, which makes a journal good again that is damaged or lost.
//
// A network that is not ready, or not known yet, is waited for: the controller
// learns of a pod at the same time as the kubelet. After that the runtime is told to
// try again. It is never told that a pod is attached when it is not.
package attach
