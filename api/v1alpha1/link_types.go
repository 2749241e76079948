package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// LinkSpec is what somebody expects of a cable. It is empty for a link that was
// found by LLDP alone.
type LinkSpec struct {
	// Ends of the cable, two of them. What is declared here is what attachments
	// follow, whatever LLDP says; what LLDP says is in the status beside it.
	// +kubebuilder:validation:MinItems=2
	// +kubebuilder:validation:MaxItems=2
	// +kubebuilder:validation:XValidation:rule="self.size() != 2 || self[0] != self[1]",message="a cable has two ends: they must differ"
	// +listType=atomic
	// +optional
	Ends []LinkEnd `json:"ends,omitempty"`
}

// LinkEnd is one end of a cable: a port of a switch, or a NIC of a host.
// +kubebuilder:validation:XValidation:rule="has(self.switch) ? has(self.port) && !has(self.host) && !has(self.nic) : !has(self.port) && has(self.host) && has(self.nic)",message="an end is a switch and its port, or a host and its nic"
type LinkEnd struct {
	// Switch by its name.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +optional
	Switch string `json:"switch,omitempty"`
	// Port of the switch that the cable is in, by its name in SONiC.
	// +kubebuilder:validation:MaxLength=15
	// +kubebuilder:validation:Pattern=`^Ethernet[0-9]+$`
	// +optional
	Port string `json:"port,omitempty"`
	// Host by its name.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +optional
	Host string `json:"host,omitempty"`
	// NIC of the host, by its name.
	// +kubebuilder:validation:MaxLength=63
	// +kubebuilder:validation:Pattern=`^[A-Za-z0-9_.-]+$`
	// +optional
	NIC string `json:"nic,omitempty"`
}

// Object is the name of the switch or host.
func (e LinkEnd) Object() string {
	if e.Switch != "" {
		return e.Switch
	}
	return e.Host
}

// Interface is the name of the port or NIC.
func (e LinkEnd) Interface() string {
	if e.Switch != "" {
		return e.Port
	}
	return e.NIC
}

// Reference is the Switch or the Host.
func (e LinkEnd) Reference() ObjectReference {
	if e.Switch != "" {
		return ObjectReference{Kind: KindSwitch, Name: e.Switch}
	}
	return ObjectReference{Kind: KindHost, Name: e.Host}
}

// String is the end as people write it, such as "leaf1/Ethernet0".
func (e LinkEnd) String() string { return e.Object() + "/" + e.Interface() }

// LinkState is how sure a link is.
// +kubebuilder:validation:Enum=Confirmed;OneWay;Mismatch;Stale;Gone;Unseen
type LinkState string

// The states of a link.
const (
	// LinkConfirmed: both ends hear each other.
	LinkConfirmed LinkState = "Confirmed"
	// LinkOneWay: one end hears the other, which hears nothing or speaks no LLDP.
	LinkOneWay LinkState = "OneWay"
	// LinkMismatch: it was declared, and something else is cabled. Attachments
	// follow what was declared.
	LinkMismatch LinkState = "Mismatch"
	// LinkStale: it was heard once and no longer is. Nothing is withdrawn.
	LinkStale LinkState = "Stale"
	// LinkGone: it was heard once, and one of its ends is cabled elsewhere now.
	// After the Fabric's spec.lldp.withdrawAfter the link is deleted.
	LinkGone LinkState = "Gone"
	// LinkUnseen: it was declared, and LLDP says nothing of either end, as for a
	// server that has none. Attachments follow it.
	LinkUnseen LinkState = "Unseen"
)

// LinkSource is where a link is known from.
// +kubebuilder:validation:Enum=LLDP;LLDPOneSided;Static
type LinkSource string

// The sources of links.
const (
	// SourceLLDP: both ends told.
	SourceLLDP LinkSource = "LLDP"
	// SourceLLDPOneSided: one end told.
	SourceLLDPOneSided LinkSource = "LLDPOneSided"
	// SourceStatic: it was declared, and LLDP does not confirm it.
	SourceStatic LinkSource = "Static"
)

// LinkFinding is what is cabled to one end of a declared link instead.
type LinkFinding struct {
	// At is the end of the declared link.
	At LinkEnd `json:"at"`
	// Peer is the other end of the cable there; not set if it is of no Switch or
	// Host that is known.
	// +optional
	Peer *LinkEnd `json:"peer,omitempty"`
	// Neighbor is the peer as people read it.
	// +kubebuilder:validation:MaxLength=640
	// +optional
	Neighbor string `json:"neighbor,omitempty"`
}

// LinkStatus is written by the controller.
type LinkStatus struct {
	// Ends of the link, that of a host first: as they were declared, or else as
	// they were found.
	// +kubebuilder:validation:MaxItems=2
	// +listType=atomic
	// +optional
	Ends []LinkEnd `json:"ends,omitempty"`
	// A is the first end for people to read, such as "host1/eth0".
	// +kubebuilder:validation:MaxLength=640
	// +optional
	A string `json:"a,omitempty"`
	// B is the second end, such as "leaf1/Ethernet0 (etp1)".
	// +kubebuilder:validation:MaxLength=640
	// +optional
	B string `json:"b,omitempty"`
	// State says how sure the link is.
	// +optional
	State LinkState `json:"state,omitempty"`
	// Source says where the link is known from.
	// +optional
	Source LinkSource `json:"source,omitempty"`
	// Found is what is cabled to the ends in truth, if the state is Mismatch.
	// +kubebuilder:validation:MaxItems=16
	// +listType=atomic
	// +optional
	Found []LinkFinding `json:"found,omitempty"`
	// Message says why the state is what it is, and what to do if it is wrong.
	// +kubebuilder:validation:MaxLength=1024
	// +optional
	Message string `json:"message,omitempty"`
	// Conditions: Ready. Its reason is the state, or DeclaredTwice or EndNotFound
	// for a declaration that cannot be in force. It is True for Confirmed, OneWay
	// and Unseen, Unknown for Stale, and False for the others.
	// +listType=map
	// +listMapKey=type
	// +optional
	Conditions []metav1.Condition `json:"conditions,omitempty"`
}

// Link is one cable. The controller makes one for each that LLDP finds; somebody
// who makes one says what should be there.
//
// +kubebuilder:object:root=true
// +kubebuilder:resource:scope=Cluster,path=links,categories=switchlet
// +kubebuilder:subresource:status
// +kubebuilder:printcolumn:name="A",type=string,JSONPath=`.status.a`
// +kubebuilder:printcolumn:name="B",type=string,JSONPath=`.status.b`
// +kubebuilder:printcolumn:name="State",type=string,JSONPath=`.status.state`
// +kubebuilder:printcolumn:name="Source",type=string,JSONPath=`.status.source`
// +kubebuilder:printcolumn:name="Message",type=string,priority=1,JSONPath=`.status.message`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
type Link struct {
	metav1.TypeMeta `json:",inline"`
	// +optional
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// +optional
	Spec LinkSpec `json:"spec,omitempty"`
	// +optional
	Status LinkStatus `json:"status,omitempty"`
}

// LinkList is a list of Links.
//
// +kubebuilder:object:root=true
type LinkList struct {
	metav1.TypeMeta `json:",inline"`
	// +optional
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []Link `json:"items"`
}
