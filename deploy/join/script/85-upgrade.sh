# guard puts right what others change, and finishes a join that was cut off.
guard() {
	local wanted=''
	read_settings $home/settings
	if [ -e $home/pending ]; then install --no-block; fi
	tune vm/panic_on_oom "$(safe_oom)"
	forget_token
	if use_vrf; then wanted='ip vrf exec mgmt'; fi
	if [ -e $run/vrf ] && [ "$(cat $run/vrf)" != "$wanted" ]; then
		run systemctl restart switchlet-containerd.service switchlet-kubelet.service
	fi
	rm -f $home/pending
}

# before_upgrade adds the agent's record of its rows to the copy of the
# configuration that the next image starts with: they have to be of one time.
before_upgrade() {
	local to=/host/old_config/switchlet
	[ -d $to ] || die "$to is missing: SONiC's config-setup has not made its copy"
	rm -f $to/before $to/pending
	if [ -d /var/lib/switchlet ]; then
		rm -rf $to/agent.new
		cp -a /var/lib/switchlet $to/agent.new
		mv -T $to/agent.new $to/agent
	fi
}

# after_upgrade joins on an image that has just been installed, while it boots: from
# what is on the disk, without the network and without waiting for services.
after_upgrade() {
	source_dir=/etc/sonic/old_config/switchlet offline=yes
	read_settings $source_dir/settings
	if [ -d $source_dir/agent ] && [ ! -e /var/lib/switchlet ]; then
		rm -rf /var/lib/switchlet.new
		cp -a $source_dir/agent /var/lib/switchlet.new
		mv -T /var/lib/switchlet.new /var/lib/switchlet
	fi
	install --no-block
}

