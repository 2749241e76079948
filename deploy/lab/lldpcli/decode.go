// Package lldpcli asks lldpd, and tells it what to do, through its program
// lldpcli.
package lldpcli

import (
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
)

const (
	// maxOutput is the size of an answer that is read: a neighbour takes 2 KiB.
	maxOutput = 4 << 20
	// maxInterfaces is how many neighbours or ports an answer may have.
	maxInterfaces = 4096
)

// Interface is a neighbour on an interface, or with Interfaces the interface
// itself and what it says of itself.
type Interface struct {
	// Name of the interface here.
	Name string
	// RID is lldpd's number for a neighbour.
	RID string
	// Age is how long a neighbour has been as it is; whole seconds.
	Age time.Duration
	// Chassis and Port are what was said: by the neighbour, or by us.
	Chassis Chassis
	Port    Port
}

// Chassis is a system.
type Chassis struct {
	ID ID
	// Name and Description of the system.
	Name, Description string
	// Management addresses.
	Management   []string
	Capabilities []Capability
}

// ID is what identifies a chassis or a port: a type such as "mac", "ifname" or
// "local", and a value.
type ID struct {
	Type  string `json:"type"`
	Value string `json:"value"`
}

// Capability is something that a system can do, such as "Bridge".
type Capability struct {
	Type    string `json:"type"`
	Enabled bool   `json:"enabled"`
}

// Port is one port of a system.
type Port struct {
	ID          ID
	Description string
}

// The form "json0" of lldpcli: every element is a list, whether there can be
// several of it or not.
type (
	texts  []struct{ Value string }
	answer struct {
		LLDP []struct {
			Interface []struct {
				Name, RID, Age string
				Chassis        []chassis
				Port           []struct {
					ID    []ID
					Descr texts
				}
			}
		}
		LocalChassis []struct{ Chassis []chassis } `json:"local-chassis"`
	}
	chassis struct {
		ID         []ID
		Name       texts
		Descr      texts
		MgmtIP     texts `json:"mgmt-ip"`
		Capability []Capability
	}
)

// decode reads an answer, but not more than maxOutput.
func decode(from io.Reader) (answer, error) {
	var a answer
	text, err := io.ReadAll(io.LimitReader(from, maxOutput+1))
	if err != nil {
		return a, err
	}
	if len(text) > maxOutput {
		return a, fmt.Errorf("lldpcli: the answer is longer than %d bytes", maxOutput)
	}
	if err := json.Unmarshal(text, &a); err != nil {
		return a, fmt.Errorf("lldpcli: %w", err)
	}
	return a, nil
}

// DecodeInterfaces reads what lldpcli prints for "-f json0 show neighbors
// details" or "-f json0 show interfaces details".
func DecodeInterfaces(from io.Reader) ([]Interface, error) {
	a, err := decode(from)
	if err != nil {
		return nil, err
	}
	var list []Interface
	for _, l := range a.LLDP {
		for _, i := range l.Interface {
			if len(list) == maxInterfaces {
				return nil, fmt.Errorf("lldpcli: the answer has more than %d interfaces", maxInterfaces)
			}
			age, err := parseAge(i.Age)
			if err != nil {
				return nil, fmt.Errorf("lldpcli: interface %s: %w", i.Name, err)
			}
			next := Interface{Name: i.Name, RID: i.RID, Age: age, Chassis: first(i.Chassis).plain()}
			port := first(i.Port)
			next.Port = Port{ID: first(port.ID), Description: first(port.Descr).Value}
			list = append(list, next)
		}
	}
	return list, nil
}

// DecodeChassis reads what lldpcli prints for "-f json0 show chassis".
func DecodeChassis(from io.Reader) (Chassis, error) {
	a, err := decode(from)
	if err != nil {
		return Chassis{}, err
	}
	local := first(a.LocalChassis).Chassis
	if len(local) == 0 {
		return Chassis{}, fmt.Errorf("lldpcli: the answer has no local-chassis")
	}
	return local[0].plain(), nil
}

func (c chassis) plain() Chassis {
	p := Chassis{
		ID: first(c.ID), Name: first(c.Name).Value, Description: first(c.Descr).Value, Capabilities: c.Capability,
	}
	for _, address := range c.MgmtIP {
		p.Management = append(p.Management, address.Value)
	}
	return p
}

func first[T any](list []T) T {
	if len(list) == 0 {
		var none T
		return none
	}
	return list[0]
}

// parseAge reads "1 day, 02:03:04" or "2 days, 02:03:04"; an interface of our
// own has none.
func parseAge(text string) (time.Duration, error) {
	if text == "" {
		return 0, nil
	}
	var numbers [4]int64 // days, hours, minutes, seconds
	head, clock, _ := strings.Cut(text, ", ")
	days, _, _ := strings.Cut(head, " ")
	parts := append([]string{days}, strings.Split(clock, ":")...)
	if len(parts) != len(numbers) {
		return 0, fmt.Errorf("age %q: want it as in 0 day, 00:01:02", text)
	}
	for i, part := range parts {
		n, err := strconv.ParseInt(part, 10, 32)
		if err != nil || n < 0 || n > 100_000 {
			return 0, fmt.Errorf("age %q: want it as in 0 day, 00:01:02", text)
		}
		numbers[i] = n
	}
	seconds := ((numbers[0]*24+numbers[1])*60+numbers[2])*60 + numbers[3]
	return time.Duration(seconds) * time.Second, nil
}
