# --- leave

leave() {
	local name
	[ "$(id -u)" = 0 ] || die 'run it as root: sudo bash join.sh --leave'
	if [ ! -e $home ] && [ ! -e $store ] && [ ! -e $units/switchlet-kubelet.service ]; then
		say 'nothing to change: this switch has not joined'
		return 0
	fi
	# First what would bring it back.
	drop $hooks/config-migration-{pre,post}-hooks.d/switchlet \
		{/host,/etc/sonic}/old_config/{switchlet,config-migration-post-hooks.d/switchlet}
	for name in switchlet-guard.timer switchlet-guard.service switchlet-kubelet.service; do stop "$name"; done
	end_pods
	stop switchlet-containerd.service
	unmount_all
	for name in "${services[@]}" switchlet-guard.service switchlet.slice; do drop "$units/$name"; done
	if [ -n "$reload" ] || [ $changed != 0 ]; then run systemctl daemon-reload; fi
	drop $run $store
	put_back
	drop $home
	say "left. What the agent wrote into CONFIG_DB stays, and so does /var/lib/switchlet, its record of that."
	say "In the cluster: kubectl delete node NAME"
}

stop() {
	if [ -e "$units/$1" ]; then run systemctl disable --now "$1"; fi
}

# end_pods ends what runs in containers, which outlives containerd.
end_pods() {
	local id ctr=("$store/bin/ctr" --address "$run/containerd.sock" --namespace k8s.io)
	if [ -S $run/containerd.sock ] && [ -x $store/bin/ctr ]; then
		for id in $("${ctr[@]}" tasks list --quiet 2>/dev/null); do
			run "${ctr[@]}" tasks rm --force "$id" || say "container $id does not end by itself"
		done
	fi
}

# unmount_all ends what is left, so that nothing is mounted where files are removed.
unmount_all() {
	local pid place
	for pid in $(find /sys/fs/cgroup -path '*/switchlet.slice/*' -name cgroup.procs -exec cat {} + 2>/dev/null | sort -u); do
		run kill -KILL "$pid" || :
	done
	find /sys/fs/cgroup -depth -type d -path '*/switchlet.slice*' -exec rmdir {} \; 2>/dev/null || :
	awk '{print $5}' /proc/self/mountinfo | { grep -E "^($store|$run)/" || :; } | sort -r | while read -r place; do
		run umount "$place" || run umount --lazy "$place" ||
			die "$place cannot be unmounted: end what uses it (fuser -vm $place), then again"
	done
}

# put_back makes of SONiC what it was.
put_back() {
	local name
	drop /etc/sysctl.d/99-switchlet.conf
	if [ ! -e $home/before ]; then return 0; fi
	for name in "${kernel[@]}"; do
		if [ -n "$(before "$name")" ]; then tune "$name" "$(before "$name")"; fi
	done
	if [ "$(before ctrmgrd.masked)" = no ] && [ "$(systemctl is-enabled ctrmgrd.service 2>/dev/null)" = masked ]; then
		run systemctl unmask ctrmgrd.service
	fi
	if [ "$(before ctrmgrd.active)" = yes ] && ! systemctl is-active --quiet ctrmgrd.service; then
		run systemctl start --no-block ctrmgrd.service
	fi
	for name in $(before made); do
		if [ ! -d "$name" ]; then continue; fi
		run find "$name" -maxdepth 1 -xtype l -delete # the kubelet's links to logs that are gone
		if [ -n "$dry" ] || [ -z "$(ls -A "$name")" ]; then run rmdir "$name"; fi
	done
}

