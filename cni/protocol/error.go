package protocol

import (
	"encoding/json"
	"errors"
	"slices"
)

// Codes of errors (CNI specification 1.1, section "Error").
const (
	CodeIncompatible  = 1
	CodeUnsupported   = 2
	CodeEnvironment   = 4
	CodeIO            = 5
	CodeDecode        = 6
	CodeInvalidConfig = 7
	CodeTryAgain      = 11
	CodeUnavailable   = 50
	CodeLimited       = 51
	// CodeFailed and those after it are this plugin's own. Failed: the kernel or
	// the disk refused.
	CodeFailed = 100
	// CodeExhausted: no address is left.
	CodeExhausted = 101
	// CodeBroken: CHECK found something missing.
	CodeBroken = 102
)

// Error is one that a runtime is told of.
type Error struct {
	Code    int
	Message string
	// Details say what to do.
	Details string
}

func (e *Error) Error() string {
	if e.Details == "" {
		return e.Message
	}
	return e.Message + ": " + e.Details
}

// Failure is the response that tells of an error, in the version of the
// configuration.
func Failure(config []byte, err error) Response {
	e := &Error{Code: CodeFailed, Message: err.Error()}
	errors.As(err, &e)
	body, err := json.Marshal(struct {
		CNIVersion string `json:"cniVersion"`
		Code       int    `json:"code"`
		Message    string `json:"msg"`
		Details    string `json:"details,omitempty"`
	}{Version(config), e.Code, e.Message, e.Details})
	if err != nil {
		panic(err) // strings and a number
	}
	return Response{Failed: true, Body: append(body, '\n')}
}

// Version is that of a configuration: the newest one if it says none that is
// known, for somebody has to be told that in some version.
func Version(config []byte) string {
	var c struct {
		CNIVersion string `json:"cniVersion"`
	}
	if json.Unmarshal(config, &c) != nil || !slices.Contains(Supported(), c.CNIVersion) {
		return Newest
	}
	return c.CNIVersion
}
