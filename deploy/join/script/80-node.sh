# --- what the units and hooks call

# start_program PROGRAM becomes containerd or the kubelet.
start_program() {
	local vrf=()
	if [ "$1" = routes-back ]; then routes_back && return 0; fi
	read_settings $home/settings
	mkdir -p $run
	if use_vrf; then vrf=(ip vrf exec mgmt); fi
	echo "${vrf[*]}" >"$run/vrf"
	case $1 in
	containerd)
		own_cgroup
		exec "${vrf[@]}" $store/bin/containerd --config $home/containerd.toml
		;;
	kubelet) exec_kubelet "${vrf[@]}" ;;
	*) die "--exec $1: there are containerd, kubelet and routes-back" ;;
	esac
}

# own_cgroup makes the group that pods are in, which the kubelet wants to find.
own_cgroup() {
	local controller place
	if [ -e /sys/fs/cgroup/cgroup.controllers ]; then
		own_cgroup_v2
		return
	fi
	for controller in /sys/fs/cgroup/*/; do
		place=${controller%/}
		case $place in */unified) continue ;; esac
		if [ -L "$place" ]; then continue; fi
		mkdir -p "$place$(pods_cgroup)"
		case $place in */cpuset*) inherit_cpuset "$place" ;; esac
	done
}

# inherit_cpuset has each new group use what the one above uses: it begins with
# nothing, and then nothing can run in it. FOLDER is the controller's.
inherit_cpuset() {
	local above=$1 name file
	for name in $(pods_cgroup | tr / ' '); do
		for file in cpuset.cpus cpuset.mems; do
			if [ -z "$(cat "$above/$name/$file")" ]; then cat "$above/$file" >"$above/$name/$file"; fi
		done
		above+=/$name
	done
}

# own_cgroup_v2 moves containerd away from where pods branch off: with version 2 a
# group has either processes, or groups with limits.
own_cgroup_v2() {
	local place=/sys/fs/cgroup name controller
	mkdir -p "$place$(pods_cgroup)" "$place$(pods_cgroup)/../containerd"
	echo $$ >"$place$(pods_cgroup)/../containerd/cgroup.procs"
	for name in $(pods_cgroup | tr / ' '); do
		tr ' ' '\n' <"$place/cgroup.controllers" | while read -r controller; do
			echo "+$controller" >"$place/cgroup.subtree_control" 2>/dev/null || : # not all can be had
		done
		place+=/$name
	done
}

exec_kubelet() {
	local address=${setting[NODE_IP]} labels=fabric.switchlet.io/role=${setting[ROLE]} flags=()
	labels+=${setting[LABELS]:+,${setting[LABELS]}}
	if [ -z "$address" ]; then address=$(ip -o addr show dev eth0 scope global | awk '{sub("/.*", "", $4); print $4; exit}'); fi
	if [ -n "$address" ]; then flags+=("--node-ip=$address"); fi
	if [ $# != 0 ]; then route_pods; fi
	$store/bin/ctr --address $run/containerd.sock --namespace k8s.io images import $store/bin/pause.tar
	exec "$@" $store/bin/kubelet --config=$home/kubelet.yaml --kubeconfig=$store/kubeconfig \
		--bootstrap-kubeconfig=$home/bootstrap.kubeconfig --cert-dir=$store/pki --root-dir=$store/kubelet \
		--hostname-override="${setting[NODE]}" --node-labels="$labels" "${flags[@]}"
}

# route_pods has pods reach the API server through the management VRF: their
# sockets are not bound to it as the kubelet's are. SONiC does the same for its syslog
# servers (interfaces.j2): a rule to the VRF's table. The answers come in through the
# VRF, and find such a socket by tcp_l3mdev_accept only.
route_pods() {
	local url=${setting[SERVER]} host address
	if [ -z "$url" ]; then url=$(sed -n 's/.*server: *"\{0,1\}\([^", ]*\).*/\1/p' $home/bootstrap.kubeconfig $store/kubeconfig 2>/dev/null | head -n 1); fi
	host=${url#https://}
	case $host in
	\[*) host=${host#\[} && host=${host%%\]*} ;;
	*) host=${host%%[:/]*} ;;
	esac
	routes_back
	echo 1 >/proc/sys/net/ipv4/tcp_l3mdev_accept
	for address in $(in_vrf getent ahosts "$host" | awk '{print $1}' | sort -u); do
		echo "$address" >>$run/routes
		ip "$(family "$address")" rule add pref 32764 to "$address" lookup 5000
	done
}

family() { case $1 in *:*) echo -6 ;; *) echo -4 ;; esac; }

routes_back() {
	local address
	if [ ! -e $run/routes ]; then return 0; fi
	while read -r address; do
		ip "$(family "$address")" rule del pref 32764 to "$address" lookup 5000 2>/dev/null || :
	done <$run/routes
	rm -f $run/routes
}

