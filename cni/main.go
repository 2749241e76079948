// Command switchlet is the CNI plugin. A container runtime, or Multus, starts it
// with its request in the environment and on stdin; the host agent of cni/host
// does what it asks for. `--version` says which one it is.
//
// A pod waits while it starts: it does without package os, and without the limit
// for its threads that Go's runtime looks for in /proc and /sys.
//
//go:debug containermaxprocs=0
//go:debug updatemaxprocs=0
package main

import (
	"cmp"
	"io"
	"syscall"

	"github.com/switchlet/switchlet/cni/protocol"
	"github.com/switchlet/switchlet/cni/shim"
)

// version is set when the program is linked.
var version = "dev"

// socketVariable names another socket than protocol.Socket, for tests and for a
// runtime with a host agent of its own. A pod, or who writes network
// configurations, cannot set it.
const socketVariable = "SWITCHLET_CNI_SOCKET"

func main() { syscall.Exit(run()) }

func run() int {
	answer := call()
	if _, err := shim.Stdout.Write(answer.Body); err != nil || answer.Failed {
		return 1
	}
	return 0
}

func call() protocol.Response {
	if getenv("CNI_COMMAND") == "" && shim.Asked("--version") { // no runtime, but somebody
		return protocol.Response{Body: []byte("CNI plugin switchlet " + version + "\n")}
	}
	config, err := io.ReadAll(io.LimitReader(shim.Stdin, protocol.MaxSize))
	if err != nil {
		return protocol.Failure(nil, &protocol.Error{Code: protocol.CodeIO, Message: "stdin: " + err.Error()})
	}
	return shim.Call{Env: getenv, Config: config, Socket: cmp.Or(getenv(socketVariable), protocol.Socket)}.Answer()
}

func getenv(name string) string {
	value, _ := syscall.Getenv(name)
	return value
}
