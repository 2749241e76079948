// Command switchlet is the CNI plugin. A container runtime, or Multus, starts it
// with its request in the environment and on stdin; the host agent of cni/host
// does what it asks for. `--version` says which one it is.
package main

import (
	"cmp"
	"io"
	"os"

	"github.com/switchlet/switchlet/cni/protocol"
	"github.com/switchlet/switchlet/cni/shim"
)

// version is set when the program is linked.
var version = "dev"

// socketVariable names another socket than protocol.Socket, for tests and for a
// runtime with a host agent of its own. A pod, or who writes network
// configurations, cannot set it.
const socketVariable = "SWITCHLET_CNI_SOCKET"

func main() { os.Exit(run(os.Args[1:])) }

func run(args []string) int {
	if len(args) == 1 && args[0] == "--version" {
		if _, err := io.WriteString(os.Stdout, "CNI plugin switchlet "+version+"\n"); err != nil {
			return 1
		}
		return 0
	}
	answer := call()
	if _, err := os.Stdout.Write(answer.Body); err != nil || answer.Failed {
		return 1
	}
	return 0
}

func call() protocol.Response {
	config, err := io.ReadAll(io.LimitReader(os.Stdin, protocol.MaxSize))
	if err != nil {
		return protocol.Failure(nil, &protocol.Error{Code: protocol.CodeIO, Message: "stdin: " + err.Error()})
	}
	return shim.Call{Env: os.Getenv, Config: config, Socket: cmp.Or(os.Getenv(socketVariable), protocol.Socket)}.Answer()
}
