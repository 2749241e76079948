package group_test

import (
	"regexp"
	"testing"

	"pgregory.net/rapid"

	"github.com/switchlet/switchlet/controller/approve/group"
)

// What the API server takes as a group of a bootstrap token.
const pattern = `\Asystem:bootstrappers:[a-z0-9:-]{0,255}[a-z0-9]\z`

func TestAGroupNamesOneSwitch(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		node := rapid.StringMatching(`[a-z0-9]([-a-z0-9]{0,10}[a-z0-9])?(\.[a-z0-9]([-a-z0-9]{0,10}[a-z0-9])?){0,3}`).Draw(t, "node")
		again := rapid.Bool().Draw(t, "again")
		name, err := group.For(node, again)
		if err != nil {
			t.Fatal(err)
		}
		if !regexp.MustCompile(pattern).MatchString(name) {
			t.Fatalf("%q is no group of a bootstrap token", name)
		}
		if got, gotAgain, ok := group.Parse(name); got != node || gotAgain != again || !ok {
			t.Fatalf("%q is of %q, %v, %v; want %q, %v", name, got, gotAgain, ok, node, again)
		}
	})
}

func TestOtherGroupsNameNone(t *testing.T) {
	for _, name := range []string{
		"", "system:bootstrappers", group.Bootstrappers, group.Bootstrappers + ":", group.Bootstrappers + ":join:",
		group.Bootstrappers + ":leaf1", group.Bootstrappers + ":join:-", "system:bootstrappers:switchletjoin:leaf1", "x" + group.Bootstrappers + ":join:leaf1",
	} {
		if node, _, ok := group.Parse(name); ok {
			t.Errorf("%q is of %q", name, node)
		}
	}
	for _, node := range []string{"", "Leaf1", "leaf_1", "leaf1:x"} {
		if name, err := group.For(node, false); err == nil {
			t.Errorf("%q has the group %q", node, name)
		}
	}
}
