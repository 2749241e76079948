package yang_test

import (
	"strings"
	"testing"

	"github.com/switchlet/switchlet/sonic"
	"github.com/switchlet/switchlet/sonic/yang"
)

// Whatever rows a box has, they are checked without harm; and a row that comes
// and goes leaves what was there before.
func FuzzRows(f *testing.F) {
	schema := load(f)
	for _, c := range cases(f)[:40] {
		f.Add(c.db.String())
	}
	f.Add("VLAN|Vlan10 vlanid=10 dhcp_servers@=1,,2\nVLAN_MEMBER|Vlan10|Ethernet0|x\nDSCP_TO_TC_MAP|a 1=2 =\nVLAN||\nPORT| lanes=1")
	f.Add("ACL_RULE|a|b SRC_IP=10.0.0.1/24 SRC_IPV6=::1/64 L4_SRC_PORT=1 L4_SRC_PORT_RANGE=1-2\nDEVICE_METADATA|localhost bgp_asn=_1\nNTP|global src_intf=a;b")
	f.Fuzz(func(t *testing.T, text string) {
		db, rows := sonic.DB{}, []sonic.Row{}
		for line := range strings.Lines(text) {
			words := strings.Fields(line)
			if len(words) == 0 {
				continue
			}
			key, ok := sonic.ParseKey(words[0])
			if !ok {
				continue
			}
			var pairs []string
			for _, word := range words[1:] {
				name, value, _ := strings.Cut(word, "=")
				pairs = append(pairs, name, value)
			}
			db[key] = sonic.NewFields(pairs...)
			rows = append(rows, sonic.Row{Key: key, Fields: db[key]})
		}
		c := yang.NewChecker(schema, db)
		before := lines(c.Violations())
		for _, row := range rows {
			c.Commit([]yang.Change{{Key: row.Key, Gone: true}})
			c.Commit([]yang.Change{{Key: row.Key, Fields: db[row.Key]}})
			for _, field := range row.Fields {
				schema.Field(row.Key, field.Name)
			}
		}
		if after := lines(c.Violations()); after != before {
			t.Errorf("after each row went and came back:\n%s\nbefore:\n%s", after, before)
		}
	})
}
