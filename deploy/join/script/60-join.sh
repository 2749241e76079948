# --- join

# install does all that is still to do. ARGUMENT: --no-block while SONiC boots.
install() {
	preflight
	if [ -e $home/pending ]; then reload=yes; say 'an earlier run did not finish: going on from there'; fi
	record_before
	put $home/join.sh 700 <"${BASH_SOURCE[0]}"
	settings_text | put $home/settings 600 secret
	printf 'vm.panic_on_oom = %s\n' "$(safe_oom)" | put /etc/sysctl.d/99-switchlet.conf 644
	tune vm/panic_on_oom "$(safe_oom)"
	mask_ctrmgrd
	write_files
	write_hooks
	install_programs
	start_services "$@"
	if [ -z "$dry" ] && [ -z "$later" ]; then
		await_certificate
		tune vm/panic_on_oom "$(safe_oom)" # the kubelet has set it when it started
		rm -f $home/pending
	fi
	if [ $changed = 0 ]; then say "nothing to change: ${setting[NODE]} has joined"; fi
}

# await_certificate gives the cluster half a minute; it may well take longer.
await_certificate() {
	local try
	for try in {1..30}; do
		if certified; then
			forget_token
			return 0
		fi
		if [ -n "$offline" ] || [ "$try" = 30 ]; then break; fi
		sleep 1
	done
	say "${setting[NODE]} has no certificate yet: kubectl get csr; join.sh --check says when it has"
}

# forget_token: with a certificate nobody needs the token any more.
forget_token() {
	if ! certified; then return 0; fi
	drop $home/bootstrap.kubeconfig
	settings_text | put $home/settings 600 secret
}

start_services() {
	local name
	if [ -n "$reload" ]; then run systemctl daemon-reload; fi
	for name in "${services[@]}"; do
		if ! systemctl is-enabled --quiet "$name" 2>/dev/null; then run systemctl enable "$name"; fi
		if [ -n "$reload" ]; then
			run systemctl restart "$@" "$name"
		elif ! systemctl is-active --quiet "$name"; then
			run systemctl start "$@" "$name"
		fi
	done
}

