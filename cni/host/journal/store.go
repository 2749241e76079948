package journal

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/switchlet/switchlet/cni/host/ipam"
	"github.com/switchlet/switchlet/cni/host/request"
)

// fileName is the file in the agent's folder.
const fileName = "attachments"

// Store is the journal. Any number of goroutines may use it.
type Store struct {
	file *file

	mu      sync.Mutex
	memory  *memory
	pending []byte  // lines that are not in the file
	commit  *Commit // of those lines; nil without any
}

// Commit is a write that several changes share.
type Commit struct {
	store *Store
	done  chan struct{}
	err   error
}

// Open reads the journal in a folder, and makes the folder if there is none.
// damage tells, for people, what of the file could not be used; a copy of it is
// kept then.
func Open(dir string) (s *Store, damage []string, err error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, nil, fmt.Errorf("open the journal of attachments: %w", err)
	}
	s = &Store{memory: newMemory(), file: newFile(filepath.Join(dir, fileName))}
	if damage, err = s.file.load(s.memory.apply); err != nil {
		return nil, nil, fmt.Errorf("open the journal of attachments: %w", err)
	}
	return s, damage, nil
}

// ErrThere says that there is such an attachment already.
var ErrThere = errors.New("this interface of this container is there already")

// ErrMAC says that another pod of the network has the MAC address.
var ErrMAC = errors.New("the MAC address is taken")

// Add gives an attachment one address of each subnet, and a MAC address if it has
// none. They are given for good when the commit says so; if that fails the
// attachment is to be removed.
func (s *Store) Add(a Attachment, subnets []ipam.Subnet) (Attachment, *Commit, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := s.memory.attachments[a.Key]; ok {
		return Attachment{}, nil, ErrThere
	}
	u := s.memory.usage(a.VNI)
	a.Addresses, a.Gateways = nil, nil
	for _, subnet := range subnets {
		if !subnet.Fixed.IsValid() {
			subnet.Fixed = u.returning(a.Pod, subnet, a.Made)
		}
		address, err := subnet.Choose(u, u.last[subnet.CIDR.Addr().Is6()], a.Made)
		if err != nil {
			return Attachment{}, nil, err
		}
		a.Addresses = append(a.Addresses, netip.PrefixFrom(address, subnet.CIDR.Bits()))
		a.Gateways = append(a.Gateways, subnet.Gateway)
	}
	if a.MAC == "" && len(a.Addresses) > 0 {
		a.MAC = ipam.MAC(a.Addresses[0].Addr()).String()
	}
	if k, taken := u.macs[a.MAC]; taken {
		return Attachment{}, nil, fmt.Errorf("%w: container %s has %s", ErrMAC, k, a.MAC)
	}
	s.memory.add(a)
	return a, s.note(record{Add: &a}), nil
}

// Adopt takes over an attachment that was found without being in the journal.
func (s *Store) Adopt(a Attachment) *Commit {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.memory.remove(a.Key, time.Time{})
	s.memory.add(a)
	return s.note(record{Add: &a})
}

// Remove releases what an attachment had. Nobody has to wait for the commit: if it
// is lost in a crash, the attachment is there again and its pod is not. Without
// such an attachment the commit is nil.
func (s *Store) Remove(k request.Key, now time.Time) (Attachment, *Commit) {
	s.mu.Lock()
	defer s.mu.Unlock()
	a, ok := s.memory.attachments[k]
	if !ok {
		return Attachment{}, nil
	}
	s.memory.remove(k, now)
	return a, s.note(record{Remove: &k, At: now.Unix()})
}

// Get is an attachment.
func (s *Store) Get(k request.Key) (Attachment, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	a, ok := s.memory.attachments[k]
	return a, ok
}

// All attachments, the oldest first.
func (s *Store) All() []Attachment {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.memory.all()
}

// Container are the attachments of one container, in any order.
func (s *Store) Container(id string) []Attachment {
	s.mu.Lock()
	defer s.mu.Unlock()
	var found []Attachment
	for key, a := range s.memory.attachments {
		if key.ContainerID == id {
			found = append(found, a)
		}
	}
	return found
}

// Count is how many attachments of a network are in one of the modes.
func (s *Store) Count(vni int32, modes ...request.Mode) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for _, a := range s.memory.attachments {
		if a.VNI == vni && slices.Contains(modes, a.Mode) {
			n++
		}
	}
	return n
}

// Holder is who has an address of a network, empty if nobody has.
func (s *Store) Holder(vni int32, a netip.Addr) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.memory.usage(vni).Holder(a)
}

// HardwareAddr is the attachment's MAC address.
func (a Attachment) HardwareAddr() net.HardwareAddr {
	mac, err := net.ParseMAC(a.MAC)
	if err != nil {
		return nil
	}
	return mac
}

// note adds a line to those that are to be written.
func (s *Store) note(r record) *Commit {
	s.pending = appendRecord(s.pending, r)
	s.memory.lines++
	if s.commit == nil {
		s.commit = &Commit{store: s, done: make(chan struct{})}
	}
	return s.commit
}

// Wait returns when the change is on the disk. Whoever comes first writes for all
// that have gathered meanwhile, and they need not take turns to learn of it.
func (c *Commit) Wait() error {
	select {
	case <-c.done:
		return c.err
	case c.store.file.turn <- struct{}{}:
		defer func() { <-c.store.file.turn }()
	}
	select {
	case <-c.done:
	default:
		c.store.write()
	}
	return c.err
}

// spareLines is how many outdated lines the file may have before it is written
// anew.
const spareLines = 1000

// write writes what has gathered. The caller holds the file, so that the commit
// of the moment is the caller's or a later one.
func (s *Store) write() {
	s.mu.Lock()
	text, commit := s.pending, s.commit
	s.pending, s.commit = nil, nil
	anew := !s.file.whole || s.memory.lines > 2*s.memory.live()+spareLines
	if anew {
		text, s.memory.lines = s.memory.encode()
	}
	s.mu.Unlock()
	var err error
	if anew {
		err = s.file.replace(text)
	} else {
		err = s.file.append(text)
	}
	if err != nil {
		err = fmt.Errorf("journal of attachments: %w", err)
	}
	commit.err = err
	close(commit.done)
}
