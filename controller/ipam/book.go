package ipam

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"

	"github.com/switchlet/switchlet/api/v1alpha1"
)

// Entry is the Allocation of a block or of an address.
type Entry struct {
	Holder v1alpha1.Holder
	// User of an address.
	User v1alpha1.AddressUser
	// Version of the entry, for Touch and Drop.
	Version string
	// Made says that Make has made it.
	Made bool
}

// ErrConflict says that an entry was changed by somebody, or is gone: look again.
var ErrConflict = errors.New("it was changed meanwhile")

// Book is where the Allocations are. Each call asks the API server itself, not a
// cache.
type Book interface {
	// Make makes an entry unless there is one of that value, and returns the one
	// that there is then.
	Make(ctx context.Context, value string, e Entry) (Entry, error)
	// Look is an entry; nil if there is none.
	Look(ctx context.Context, value string) (*Entry, error)
	// Touch gives an entry a new version; ErrConflict if it has one.
	Touch(ctx context.Context, value, version string) error
	// Drop deletes an entry of a version; ErrConflict if it has another one.
	Drop(ctx context.Context, value, version string) error
}

// Block of a subnet, by its L2 VNI.
type Block struct {
	VNI int32
	netip.Prefix
}

func (b Block) value() string { return Value(b.VNI, b.Prefix) }

// Take gets a block for a host that no other host has, nor an overlapping one. It
// reports false when the subnet has none left. taken says which are known to be; what
// is not known yet the book knows.
func Take(ctx context.Context, book Book, s Subnet, vni int32, host v1alpha1.Holder, taken func(netip.Prefix) bool) (netip.Prefix, bool, error) {
	var refused []netip.Prefix
	for {
		p, ok := Pick(s, vni, host.String(), func(p netip.Prefix) bool { return slices.Contains(refused, p) || taken(p) })
		if !ok {
			return netip.Prefix{}, false, nil
		}
		b := Block{vni, p}
		e, err := book.Make(ctx, b.value(), Entry{Holder: host})
		if err != nil {
			return netip.Prefix{}, false, err
		}
		if e.Holder == host {
			if ours, err := adopt(ctx, book, b, host, e); err != nil || ours {
				return p, ours, err
			}
		}
		refused = append(refused, p)
	}
}

// Adopt says whether a host may hand out of a block that it has an entry for: whoever
// made that may have ended before asking whether the block overlaps with another one,
// and somebody who takes the host for gone may be about to drop it. An entry that
// must not be is dropped.
func Adopt(ctx context.Context, book Book, b Block, host v1alpha1.Holder) (bool, error) {
	e, err := book.Look(ctx, b.value())
	if err != nil || e == nil || e.Holder != host {
		return false, err
	}
	return adopt(ctx, book, b, host, *e)
}

func adopt(ctx context.Context, book Book, b Block, host v1alpha1.Holder, e Entry) (bool, error) {
	sole, err := sole(ctx, book, b)
	switch {
	case err != nil:
		return false, err
	case !sole:
		err := book.Drop(ctx, b.value(), e.Version)
		if errors.Is(err, ErrConflict) {
			err = nil // it is looked at again
		}
		return false, err
	case e.Made:
		return true, nil
	}
	err = book.Touch(ctx, b.value(), e.Version)
	if errors.Is(err, ErrConflict) {
		return Adopt(ctx, book, b, host)
	}
	return err == nil, err
}

// sole says whether no block overlaps with one that has an entry.
func sole(ctx context.Context, book Book, b Block) (bool, error) {
	for _, o := range Overlapping(b.Prefix) {
		if e, err := book.Look(ctx, Value(b.VNI, o)); err != nil || e != nil {
			return false, err
		}
	}
	return true, nil
}

// Return gives a block back that its holder neither hands out of nor uses. still has
// to ask the API server whether that is so: it may have gone back already, and come
// to somebody again, even to the same host. It reports false while an address in the
// block has a user: the block stands for that, too.
func Return(ctx context.Context, book Book, b Block, still func(context.Context) (bool, error)) (bool, error) {
	for {
		e, err := book.Look(ctx, b.value())
		if err != nil || e == nil {
			return e == nil, err
		}
		if so, err := still(ctx); err != nil || !so {
			return false, err
		}
		for _, a := range Addresses(b.Prefix) {
			if single, err := book.Look(ctx, Value(b.VNI, Single(a))); err != nil || single != nil {
				return false, err
			}
		}
		if err := book.Drop(ctx, b.value(), e.Version); !errors.Is(err, ErrConflict) {
			return err == nil, err
		}
	}
}

// Standing is where an address is that somebody asks for.
type Standing struct {
	// User who has it. It is the one who asks, or somebody was faster.
	User v1alpha1.AddressUser
	// Holder of the block around it: the subnet, or a host, which has to be told to
	// leave the address out and to confirm that it does.
	Holder v1alpha1.Holder
}

// Reserve gets an address for a user. From then on the block around it stays with
// its holder.
func Reserve(ctx context.Context, book Book, s Subnet, vni int32, a netip.Addr, subnet v1alpha1.Holder, user v1alpha1.AddressUser) (Standing, error) {
	e, err := book.Make(ctx, Value(vni, Single(a)), Entry{Holder: subnet, User: user})
	if err != nil || e.User != user {
		return Standing{User: e.User}, err
	}
	if !e.Made { // somebody who takes the user for gone may be about to drop it
		if err := book.Touch(ctx, Value(vni, Single(a)), e.Version); errors.Is(err, ErrConflict) {
			return Reserve(ctx, book, s, vni, a, subnet, user)
		} else if err != nil {
			return Standing{}, err
		}
	}
	for range maxAttempts {
		holder, found, err := stand(ctx, book, s, vni, a, subnet)
		if errors.Is(err, ErrConflict) || err == nil && !found {
			continue
		}
		return Standing{User: user, Holder: holder}, err
	}
	return Standing{}, fmt.Errorf("reserve %s of VNI %d: %w, %d times", a, vni, ErrConflict, maxAttempts)
}

const maxAttempts = 16

// stand finds the holder of the block around an address, or makes it the subnet.
func stand(ctx context.Context, book Book, s Subnet, vni int32, a netip.Addr, subnet v1alpha1.Holder) (v1alpha1.Holder, bool, error) {
	var found *Entry
	var value string
	for _, p := range Around(a) {
		e, err := book.Look(ctx, Value(vni, p))
		switch {
		case err != nil:
			return v1alpha1.Holder{}, false, err
		case e != nil && found != nil:
			return v1alpha1.Holder{}, false, ErrConflict // one of the two goes
		case e != nil:
			found, value = e, Value(vni, p)
		}
	}
	if found != nil {
		return found.Holder, true, book.Touch(ctx, value, found.Version)
	}
	b := Block{vni, BlockOf(s.Network, a)}
	e, err := book.Make(ctx, b.value(), Entry{Holder: subnet})
	if err != nil || e.Holder != subnet {
		return v1alpha1.Holder{}, false, err // a host was faster: look again
	}
	sole, err := sole(ctx, book, b)
	if err == nil && !sole {
		err = book.Drop(ctx, b.value(), e.Version)
	}
	if err != nil || !sole {
		return v1alpha1.Holder{}, false, err
	}
	return subnet, true, book.Touch(ctx, b.value(), e.Version)
}
