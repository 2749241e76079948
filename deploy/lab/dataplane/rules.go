package dataplane

import (
	"errors"
	"fmt"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

// Priorities of routing rules. The kernel's own, "look into the VRF's table", has
// 1000; it comes with the first VRF.
const (
	// nowherePriority ends the search of what belongs to a VRF: an ASIC neither
	// goes on in the default VRF nor finds the switch's own addresses there.
	nowherePriority = 1001
	// localPriority is where the rule for the default VRF's own addresses goes,
	// which is the first of all in a kernel without VRFs. vrfmgrd moves it too
	// (sonic-swss cfgmgr/vrfmgr.cpp), to 1001.
	localPriority = 1002
)

// separate keeps VRFs apart from the default one: no packet of a VRF is ever
// looked up in another table than its own.
func (k *kernel) separate() error {
	for _, family := range []int{unix.AF_INET, unix.AF_INET6} {
		if err := k.separateFamily(family); err != nil {
			return fmt.Errorf("routing rules: %w", err)
		}
	}
	return nil
}

func (k *kernel) separateFamily(family int) error {
	if err := k.addNowhere(family); err != nil && !errors.Is(err, unix.EEXIST) {
		return fmt.Errorf("rule %d: %w", nowherePriority, err)
	}
	rules, err := k.RuleList(family)
	if err != nil {
		return err
	}
	moved := false
	for _, rule := range rules {
		moved = moved || rule.Priority == localPriority
	}
	if !moved {
		if err := k.RuleAdd(localRule(family, localPriority)); err != nil {
			return fmt.Errorf("rule %d: %w", localPriority, err)
		}
	}
	for _, rule := range rules {
		// The library leaves out a priority of 0 on the way here.
		if rule.Table == unix.RT_TABLE_LOCAL && rule.Priority <= 0 {
			return k.dropFirst(family)
		}
	}
	return nil
}

func localRule(family, priority int) *netlink.Rule {
	rule := netlink.NewRule()
	rule.Family, rule.Table, rule.Priority = family, unix.RT_TABLE_LOCAL, priority
	return rule
}

// dropFirst removes the rule of priority 0.
func (k *kernel) dropFirst(family int) error {
	request := nl.NewNetlinkRequest(unix.RTM_DELRULE, unix.NLM_F_ACK)
	request.AddData(ruleMessage(family, unix.RT_TABLE_LOCAL, unix.RTN_UNICAST))
	request.AddData(nl.NewRtAttr(unix.FRA_PRIORITY, nl.Uint32Attr(0)))
	_, err := k.execute(request)
	return err
}

// addNowhere is `ip rule add pref 1001 l3mdev unreachable`.
func (k *kernel) addNowhere(family int) error {
	request := nl.NewNetlinkRequest(unix.RTM_NEWRULE, unix.NLM_F_CREATE|unix.NLM_F_EXCL|unix.NLM_F_ACK)
	request.AddData(ruleMessage(family, unix.RT_TABLE_UNSPEC, unix.FR_ACT_UNREACHABLE))
	request.AddData(nl.NewRtAttr(unix.FRA_PRIORITY, nl.Uint32Attr(nowherePriority)))
	request.AddData(nl.NewRtAttr(unix.FRA_L3MDEV, []byte{1}))
	_, err := k.execute(request)
	return err
}

// ruleMessage is a struct fib_rule_hdr, which has the form of a struct rtmsg.
func ruleMessage(family, table int, action uint8) *nl.RtMsg {
	message := nl.NewRtMsg()
	message.Family, message.Table, message.Type = uint8(family), uint8(table), action
	message.Protocol, message.Scope = unix.RTPROT_BOOT, 0
	return message
}
