containerd_config() {
	cat <<-END
		version = 2
		root = "$store/containerd"
		state = "$run/containerd"
		disabled_plugins = ["io.containerd.internal.v1.opt", "io.containerd.snapshotter.v1.btrfs",
		  "io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.zfs"]

		[grpc]
		  address = "$run/containerd.sock"

		[plugins."io.containerd.grpc.v1.cri"]
		  sandbox_image = "${setting[PAUSE]}"
		  max_container_log_line_size = 16384
		  [plugins."io.containerd.grpc.v1.cri".containerd]
		    default_runtime_name = "runc"
		    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
		      runtime_type = "io.containerd.runc.v2"
		      [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
		        BinaryName = "$store/bin/runc"
		        SystemdCgroup = false
		  [plugins."io.containerd.grpc.v1.cri".cni]
		    bin_dir = "$home/cni"
		    conf_dir = "$home/cni"
		  [plugins."io.containerd.grpc.v1.cri".registry]
		    config_path = "$home/registries"
	END
}

# SONiC boots with cgroup version 1, which a kubelet of 1.35 and later refuses
# unless it is told otherwise. Without cgroupsPerQOS pods would be outside of the
# slice, and so of its limits.
kubelet_config() {
	local setting_memory=${setting[MEMORY]}
	cat <<-END
		apiVersion: kubelet.config.k8s.io/v1beta1
		kind: KubeletConfiguration
		$(kubelet_server)
		readOnlyPort: 0
		healthzPort: 0
		serverTLSBootstrap: false
		rotateCertificates: true
		containerRuntimeEndpoint: unix://$run/containerd.sock
		volumePluginDir: $store/kubelet/volumeplugins
		podLogsDir: $store/logs
		cgroupDriver: cgroupfs
		cgroupRoot: $(pods_cgroup)
		cgroupsPerQOS: true
		enforceNodeAllocatable: []
		failCgroupV1: false
		failSwapOn: false
		protectKernelDefaults: false
		makeIPTablesUtilChains: false
		maxPods: 16
		systemReserved: {memory: $(($(memory MemTotal) - setting_memory))Mi}
		evictionHard: {memory.available: 100Mi, nodefs.available: 5%, nodefs.inodesFree: 5%, imagefs.available: 5%}
		imageGCHighThresholdPercent: 95
		imageGCLowThresholdPercent: 92
		imageMinimumGCAge: 24h
		containerLogMaxSize: 4Mi
		containerLogMaxFiles: 2
		registerWithTaints: [$(if [ -n "${setting[TAINT]}" ]; then echo "{key: ${setting[TAINT]}, effect: NoSchedule}"; fi)]
	END
}

kubelet_server() {
	if [ -z "${setting[KUBELET_ADDRESS]}" ]; then echo 'enableServer: false'; return; fi
	cat <<-END
		address: "${setting[KUBELET_ADDRESS]}"
		authentication: {anonymous: {enabled: false}, webhook: {enabled: true}}
		authorization: {mode: Webhook}
	END
}

# pods_cgroup is below containerd's service, which systemd leaves to us.
pods_cgroup() { echo /switchlet.slice/switchlet-containerd.service/pods; }

# Without a network configuration the node would never be Ready.
cni_files() {
	put $home/cni/10-hostnetwork-only.conflist 644 <<-'END'
		{"cniVersion": "0.4.0", "name": "hostnetwork-only", "plugins": [{"type": "hostnetwork-only"}]}
	END
	local plugin
	for plugin in hostnetwork-only loopback; do
		put $home/cni/$plugin 755 <<-'END'
			#!/bin/sh
			# A switch has no pod network: this plugin says so to whoever asks for one.
			case "$CNI_COMMAND" in
			ADD | CHECK)
				echo '{"cniVersion":"0.4.0","code":100,"msg":"a switch has no pod network: set hostNetwork: true in the pod"}'
				exit 1
				;;
			VERSION) echo '{"cniVersion":"0.4.0","supportedVersions":["0.4.0","1.0.0"]}' ;;
			esac
		END
	done
}

# write_identity gives the kubelet something to ask for its certificate with, as
# long as it has none.
write_identity() {
	if certified; then
		drop $home/bootstrap.kubeconfig
	elif [ -n "${setting[KUBECONFIG]}" ]; then
		if [ "$source_dir" != $home ] && [ -r "$source_dir/bootstrap.kubeconfig" ]; then
			put $home/bootstrap.kubeconfig 600 secret <"$source_dir/bootstrap.kubeconfig"
		elif [ -r "${setting[KUBECONFIG]}" ]; then
			put $home/bootstrap.kubeconfig 600 secret <"${setting[KUBECONFIG]}"
		elif [ ! -e $home/bootstrap.kubeconfig ]; then
			die "KUBECONFIG=${setting[KUBECONFIG]} cannot be read, and this switch has no certificate yet"
		fi
	else
		bootstrap_kubeconfig | put $home/bootstrap.kubeconfig 600 secret
	fi
}

bootstrap_kubeconfig() {
	cat <<-END
		apiVersion: v1
		kind: Config
		current-context: switchlet
		clusters:
		- {name: switchlet, cluster: {server: "${setting[SERVER]}", certificate-authority-data: ${setting[CA_DATA]}}}
		users:
		- {name: switchlet, user: {token: "${setting[TOKEN]}"}}
		contexts:
		- {name: switchlet, context: {cluster: switchlet, user: switchlet}}
	END
}

# Hooks of SONiC's config-setup. It sources them, so they must never exit, and
# takes them along to the next image itself. Their names may have no dot.
write_hooks() {
	put $hooks/config-migration-pre-hooks.d/switchlet 755 <<-END
		( /bin/bash $home/join.sh --before-upgrade 2>&1 | logger -t switchlet-join ) </dev/null || :
	END
	put $hooks/config-migration-post-hooks.d/switchlet 755 <<-'END'
		( /bin/bash /etc/sonic/old_config/switchlet/join.sh --after-upgrade 2>&1 | logger -t switchlet-join ) </dev/null || :
	END
}

