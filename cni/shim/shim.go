package shim

import (
	"errors"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"github.com/switchlet/switchlet/cni/protocol"
)

// Call is one call of the plugin.
type Call struct {
	// Env looks a variable up in the environment, like os.Getenv.
	Env func(string) string
	// Config is what was on stdin.
	Config []byte
	// Socket of the agent.
	Socket string
}

// Answer is what goes to stdout, and whether the plugin fails.
func (c Call) Answer() protocol.Response {
	command := c.Env("CNI_COMMAND")
	if command == "VERSION" {
		return versions(c.Config)
	}
	if err := c.check(command); err != nil {
		return protocol.Failure(c.Config, err)
	}
	netns, err := c.open(command)
	if err != nil {
		return protocol.Failure(c.Config, err)
	}
	if netns != none {
		defer netns.close()
	}
	answer, err := ask(c.Socket, protocol.Request{
		Command: command, ContainerID: c.Env("CNI_CONTAINERID"), Netns: c.Env("CNI_NETNS"),
		IfName: c.Env("CNI_IFNAME"), Args: c.Env("CNI_ARGS"), Config: c.Config,
	}, netns)
	if err != nil {
		return c.away(command, err)
	}
	return answer
}

// needed are the variables that a command cannot do without.
func needed(command string) ([]string, bool) {
	switch command {
	case "ADD", "CHECK":
		return []string{"CNI_CONTAINERID", "CNI_NETNS", "CNI_IFNAME"}, true
	case "DEL":
		return []string{"CNI_CONTAINERID", "CNI_IFNAME"}, true
	case "GC", "STATUS":
		return nil, true
	}
	return nil, false
}

func (c Call) check(command string) error {
	names, known := needed(command)
	if !known {
		return &protocol.Error{Code: protocol.CodeEnvironment, Message: "CNI_COMMAND is " + strconv.Quote(command),
			Details: "it has to be ADD, DEL, CHECK, GC, STATUS or VERSION"}
	}
	missing := slices.DeleteFunc(slices.Clone(names), func(name string) bool { return c.Env(name) != "" })
	if len(missing) > 0 {
		return &protocol.Error{Code: protocol.CodeEnvironment, Message: command + " without [" + strings.Join(missing, " ") + "] in the environment",
			Details: "a container runtime sets them"}
	}
	if len(c.Config) > protocol.MaxSize-1024 {
		return &protocol.Error{Code: protocol.CodeIO, Message: "the network configuration on stdin is larger than 1 MiB"}
	}
	return nil
}

// open opens the pod's network namespace. A DEL may come after it is gone.
func (c Call) open(command string) (file, error) {
	path := c.Env("CNI_NETNS")
	if path == "" || command == "GC" || command == "STATUS" {
		return none, nil
	}
	f, err := open(path)
	switch {
	case err == nil:
		return f, nil
	case command == "DEL" && errors.Is(err, syscall.ENOENT):
		return none, nil
	}
	return none, &protocol.Error{Code: protocol.CodeEnvironment, Message: "CNI_NETNS: open " + path + ": " + err.Error(),
		Details: "it has to be the path of the pod's network namespace"}
}

// away answers in place of an agent that cannot be reached.
func (c Call) away(command string, err error) protocol.Response {
	e := &protocol.Error{Code: protocol.CodeTryAgain, Message: "Switchlet's host agent on this node does not answer",
		Details: "it is tried again by itself; see the node's pod of DaemonSet switchlet-host-agent (" + err.Error() + ")"}
	switch command {
	case "DEL":
		return protocol.Response{} // the package comment says why
	case "STATUS":
		e.Code = protocol.CodeUnavailable
	}
	return protocol.Failure(c.Config, e)
}

func versions(config []byte) protocol.Response {
	body := protocol.AppendText([]byte(`{"cniVersion":`), protocol.Version(config))
	body = append(body, `,"supportedVersions":`...)
	for i, v := range protocol.Supported() {
		body = protocol.AppendText(append(body, "[,"[min(i, 1)]), v)
	}
	return protocol.Response{Body: append(body, "]}\n"...)}
}
