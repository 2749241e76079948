# --- check

check() {
	local bad=0 name
	[ -r $home/settings ] || die 'this switch has not joined: join.sh --settings FILE'
	read_settings $home/settings
	verdict "no join is half done" 'run it again' [ ! -e $home/pending ]
	for name in "${services[@]}"; do
		verdict "$name runs" "journalctl -u $name" systemctl is-active --quiet "$name"
	done
	verdict "the programs are those of the bundle" 'run it again' [ "$(readlink $store/bin)" = "programs/${setting[SUMS]:0:16}" ]
	verdict "the kubelet has its certificate" 'kubectl get csr: is there a request of this switch, and why was it not approved?' certified
	verdict "a pod at its memory limit does not reboot the switch" "systemctl start switchlet-guard" \
		[ "$(cat /proc/sys/vm/panic_on_oom)" != 2 ]
	verdict "ctrmgrd is masked" 'run it again' [ "$(systemctl is-enabled ctrmgrd.service 2>/dev/null)" = masked ]
	verdict "the hook for an image upgrade is there" 'run it again' [ -e $hooks/config-migration-post-hooks.d/switchlet ]
	return $bad
}

verdict() { # WHAT WAYOUT COMMAND...
	local what=$1 out=$2
	shift 2
	if "$@"; then say "ok   $what"; else
		say "BAD  $what? No: $out"
		bad=1
	fi
}

