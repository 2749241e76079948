// Package datatype checks values against YANG types (RFC 7950, section 9) and
// brings them into the canonical form that libyang, SONiC's validator, compares
// them in.
package datatype
