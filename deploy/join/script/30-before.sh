# --- before anything is changed

preflight() {
	local need
	[ "$(id -u)" = 0 ] || die 'run it as root: sudo bash join.sh …'
	[ -r /etc/sonic/sonic_version.yml ] || die 'this is no SONiC: /etc/sonic/sonic_version.yml is missing'
	for need in systemctl ip sha256sum flock sonic-db-cli; do
		command -v $need >/dev/null || die "program $need is missing: this SONiC image is not one that can join"
	done
	[ -d /host ] || die "/host is missing: programs and images need SONiC's partition, which outlives an image"
	case $(stat -f -c %T /host) in
	msdos | vfat | exfat | squashfs) die '/host is a file system without owners and links: images cannot be kept there. Make it ext4.' ;;
	esac
	if systemctl is-active --quiet kubelet.service; then
		die "SONiC's own kubelet runs: config kubernetes server disable on; systemctl disable --now kubelet; then again"
	fi
	room
}

# room is whether there is enough of it for what a first join brings.
room() {
	local free
	[ "${setting[MEMORY]}" -lt "$(($(memory MemTotal) / 2))" ] ||
		die "MEMORY=${setting[MEMORY]} is more than half of the switch's $(memory MemTotal) MiB: SONiC needs the rest"
	if [ -e $store/bin/kubelet ]; then return 0; fi
	free=$(($(df -Pk /host | awk 'NR == 2 {print $4}') / 1024))
	[ "$free" -ge "${setting[DISK]}" ] || die "/host has $free MiB free, and DISK asks for ${setting[DISK]}: sonic-installer cleanup removes an old image"
	[ "$(memory MemAvailable)" -ge 400 ] || die "$(memory MemAvailable) MiB of memory are available: kubelet, containerd and agent need 400"
}

# memory FIELD of /proc/meminfo, in MiB.
memory() { awk -v field="$1:" '$1 == field {print int($2 / 1024)}' /proc/meminfo; }

# record_before notes what --leave has to put back: once for each image of SONiC.
record_before() {
	local name masked=no active=no made=''
	if [ -e $home/before ]; then return 0; fi
	if [ "$(systemctl is-enabled ctrmgrd.service 2>/dev/null)" = masked ]; then masked=yes; fi
	if systemctl is-active --quiet ctrmgrd.service; then active=yes; fi
	for name in $hooks/config-migration-pre-hooks.d $hooks/config-migration-post-hooks.d /var/log/containers; do
		if [ ! -d "$name" ]; then made+=" $name"; fi
	done
	{
		for name in "${kernel[@]}"; do
			if [ -e "/proc/sys/$name" ]; then say "$name=$(cat "/proc/sys/$name")"; fi
		done
		say "ctrmgrd.masked=$masked"
		say "ctrmgrd.active=$active"
		say "made=$made"
	} | put $home/before 600
}

before() { sed -n "s|^$1=||p" $home/before 2>/dev/null; }

# safe_oom is vm.panic_on_oom as it may be: SONiC's 2 makes a pod at its memory
# limit reboot the switch. 1 still does so when the switch itself is out of memory.
safe_oom() {
	local was
	was=$(before vm/panic_on_oom)
	if [ "${was:-$(cat /proc/sys/vm/panic_on_oom)}" = 0 ]; then echo 0; else echo 1; fi
}

# mask_ctrmgrd keeps SONiC's own way into a cluster from resetting ours.
mask_ctrmgrd() {
	if [ "$(systemctl is-enabled ctrmgrd.service 2>/dev/null)" = masked ]; then return 0; fi
	run systemctl mask --now ctrmgrd.service ||
		die "ctrmgrd.service cannot be masked: move $units/ctrmgrd.service, if it is a file, to /lib/systemd/system; then again"
}

