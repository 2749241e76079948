package protocol

// Request is what the runtime gave the plugin.
type Request struct {
	// Command is CNI_COMMAND, and so on.
	Command, ContainerID, Netns, IfName, Args string
	// Config is what was on stdin.
	Config []byte
}

// Append adds the payload of a request: each field with its length before it.
func (r Request) Append(b []byte) []byte {
	for _, field := range []string{r.Command, r.ContainerID, r.Netns, r.IfName, r.Args, string(r.Config)} {
		b = appendLength(b, len(field))
		b = append(b, field...)
	}
	return b
}

// ParseRequest reads a payload. Fields that a later plugin adds are left out.
func ParseRequest(b []byte) (Request, error) {
	var r Request
	var config string
	for _, field := range []*string{&r.Command, &r.ContainerID, &r.Netns, &r.IfName, &r.Args, &config} {
		if len(b) < 4 || uint64(length(b)) > uint64(len(b)-4) {
			return Request{}, notFrame("the request is cut off")
		}
		end := 4 + int(length(b))
		*field, b = string(b[4:end]), b[end:]
	}
	r.Config = []byte(config)
	return r, nil
}

// Response is what the plugin writes to stdout, and whether it failed.
type Response struct {
	Failed bool
	Body   []byte
}

// Append adds the payload of a response.
func (r Response) Append(b []byte) []byte {
	status := byte(0)
	if r.Failed {
		status = 1
	}
	return append(append(b, status), r.Body...)
}

// ParseResponse reads a payload.
func ParseResponse(b []byte) (Response, error) {
	if len(b) == 0 || b[0] > 1 {
		return Response{}, notFrame("the response has no status")
	}
	return Response{Failed: b[0] == 1, Body: b[1:]}, nil
}
