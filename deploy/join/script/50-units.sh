# --- files

write_files() {
	slice_unit | put $units/switchlet.slice 644
	containerd_unit | put $units/switchlet-containerd.service 644
	kubelet_unit | put $units/switchlet-kubelet.service 644
	guard_units
	containerd_config | put $home/containerd.toml 600
	kubelet_config | put $home/kubelet.yaml 600
	cni_files
	if [ -n "${setting[REGISTRY]}" ]; then
		printf 'server = "%s"\n' "${setting[REGISTRY]}" | put $home/registries/_default/hosts.toml 644
	else
		drop $home/registries
	fi
	write_identity
}

slice_unit() {
	cat <<-END
		[Unit]
		Description=Kubernetes on this switch: kubelet, containerd and all pods

		[Slice]
		MemoryAccounting=yes
		MemoryMax=${setting[MEMORY]}M
		CPUAccounting=yes
		CPUWeight=20
		TasksAccounting=yes
		TasksMax=4096
	END
}

# Both services are gone for another image of SONiC once the store is.
containerd_unit() {
	cat <<-END
		[Unit]
		Description=containerd for Kubernetes, beside the one of SONiC's Docker
		After=network.target database.service config-setup.service
		RequiresMountsFor=/host
		ConditionPathExists=$store/bin/containerd

		[Service]
		Type=notify
		Slice=switchlet.slice
		Environment=GOMEMLIMIT=96MiB PATH=$store/bin:/usr/sbin:/usr/bin:/sbin:/bin
		ExecStart=/bin/bash $home/join.sh --exec containerd
		# Pods are in this service's own cgroup and outlive a restart of it.
		Delegate=yes
		KillMode=process
		Restart=always
		RestartSec=5
		LimitNOFILE=65536

		[Install]
		WantedBy=multi-user.target
	END
}

kubelet_unit() {
	cat <<-END
		[Unit]
		Description=kubelet: makes this switch a node
		Wants=switchlet-containerd.service
		After=switchlet-containerd.service
		RequiresMountsFor=/host
		ConditionPathExists=$store/bin/kubelet

		[Service]
		Slice=switchlet.slice
		Environment=GOMEMLIMIT=160MiB PATH=$store/bin:/usr/sbin:/usr/bin:/sbin:/bin
		ExecStart=/bin/bash $home/join.sh --exec kubelet
		ExecStopPost=/bin/bash $home/join.sh --exec routes-back
		KillMode=process
		Restart=always
		RestartSec=5

		[Install]
		WantedBy=multi-user.target
	END
}

guard_units() {
	put $units/switchlet-guard.service 644 <<-END
		[Unit]
		Description=Keeps what the kubelet and SONiC would change on this switch
		ConditionPathExists=$store

		[Service]
		Type=oneshot
		ExecStart=/bin/bash $home/join.sh --guard
	END
	put $units/switchlet-guard.timer 644 <<-'END'
		[Unit]
		Description=Every minute: see switchlet-guard.service

		[Timer]
		OnActiveSec=20s
		OnUnitActiveSec=60s
		AccuracySec=10s

		[Install]
		WantedBy=timers.target
	END
}

