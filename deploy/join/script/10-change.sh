#!/bin/bash
# Makes a SONiC switch a node of a Kubernetes cluster, beside what SONiC runs
# itself, and undoes it again: a kubelet and a containerd of their own, in a slice
# with limits, that survive an upgrade of SONiC's image.
#
# It writes files whole or not at all, does only what is still to do, and so can be
# killed anywhere and run again. docs/joining.md says what each part is for.
set -euo pipefail
shopt -s lastpipe # what is piped into put counts here
umask 077

readonly home=/etc/sonic/switchlet  # settings and this script; goes with SONiC's configuration
readonly store=/host/switchlet      # programs, images, certificates; all images of SONiC share it
readonly run=/run/switchlet
readonly units=/etc/systemd/system
readonly hooks=/etc/config-setup
readonly programs=(kubelet containerd containerd-shim-runc-v2 runc ctr)
readonly services=(switchlet-containerd.service switchlet-kubelet.service switchlet-guard.timer)
# What a kubelet sets when it starts, and route_pods; --leave puts it back.
readonly kernel=(vm/panic_on_oom vm/overcommit_memory kernel/panic kernel/panic_on_oops
	kernel/keys/root_maxkeys kernel/keys/root_maxbytes net/ipv4/tcp_l3mdev_accept)

dry='' changed=0 reload='' offline='' later='' source_dir=$home
declare -A setting=([ROLE]=leaf [LABELS]='' [TAINT]=fabric.switchlet.io/switch [MEMORY]=768 [DISK]=4096
	[PAUSE]=switchlet.io/pause:dev [MGMT_VRF]=auto [NODE]='' [NODE_IP]='' [SERVER]='' [CA_DATA]=''
	[TOKEN]='' [KUBECONFIG]='' [BUNDLE]='' [SUMS]='' [REGISTRY]='' [KUBELET_ADDRESS]='')

usage() {
	cat <<-'END'
		join.sh --settings FILE [--dry-run]   join the cluster, or bring an earlier join up to date
		join.sh --check                       say whether all is as it should be
		join.sh --leave [--dry-run]           take all of it away again
		--dry-run shows every file and command, and changes nothing.
	END
}

say() { printf '%s\n' "$*"; }
die() { printf 'join.sh: %s\n' "$*" >&2; exit 1; }

# --- changing things: each of these does nothing where nothing is to be done.

# begin notes that a change is under way, so that a run after a kill restarts what
# may still run with old files.
begin() {
	changed=$((changed + 1))
	if [ -n "$dry" ] || [ -e $home/pending ]; then return 0; fi
	mkdir -p $home
	: >$home/pending
}

# run is a command that changes something.
run() {
	begin
	say "run    $*"
	if [ -n "$dry" ]; then return 0; fi
	"$@"
}

# put FILE MODE [secret] makes standard input a file.
put() {
	local file=$1 mode=$2 text
	text=$(cat; echo .) # the dot keeps the last line break
	if [ -f "$file" ] && [ "$(stat -c %a "$file")" = "$mode" ] && [ "$(cat "$file"; echo .)" = "$text" ]; then
		return 0
	fi
	begin
	say "write  $file (mode $mode)"
	if [ -n "$dry" ]; then
		show "${3:-$text}"
		return 0
	fi
	(umask 022 && mkdir -p "${file%/*}")
	printf %s "${text%.}" >"$file.new"
	chmod "$mode" "$file.new"
	sync "$file.new"
	mv -f "$file.new" "$file"
	reload=yes
}

# show TEXT, which may be "secret", as the content of a file.
show() {
	local line
	if [ "$1" = secret ]; then say '       | not shown: it has a secret' && return 0; fi
	while IFS= read -r line; do say "       | $line"; done <<<"${1%$'\n'.}"
}

# drop PATH... removes files and folders, but nothing that is mounted below them.
drop() {
	local path
	for path; do
		if [ -e "$path" ] || [ -L "$path" ]; then run rm -rf --one-file-system "$path"; fi
	done
}

# tune NAME VALUE sets a kernel parameter.
tune() {
	local file=/proc/sys/$1
	if [ ! -e "$file" ] || [ "$(cat "$file")" = "$2" ]; then return 0; fi
	begin
	say "set    $1 = $2 (was $(cat "$file"))"
	if [ -z "$dry" ]; then echo "$2" >"$file"; fi
}

