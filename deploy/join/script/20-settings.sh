# --- settings

# read_settings FILE takes KEY=VALUE lines; nothing in them is executed.
read_settings() {
	local key value
	[ -r "$1" ] || die "$1 cannot be read: give --settings FILE; kubectl switchlet join-token NODE makes one"
	while IFS='=' read -r key value || [ -n "$key" ]; do
		case $key in '' | '#'*) continue ;; esac
		[ -n "${setting[$key]+known}" ] || die "$1: unknown setting \"$key\"; known: ${!setting[*]}"
		setting[$key]=${value%$'\r'}
	done <"$1"
	check_settings "$1"
}

check_settings() {
	local name='^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$' label='^[-A-Za-z0-9_./=,]*$' ref='^[-A-Za-z0-9_./:@]+$'
	if [ -z "${setting[NODE]}" ]; then
		setting[NODE]=$(sonic-db-cli CONFIG_DB hget 'DEVICE_METADATA|localhost' hostname | tr '[:upper:]' '[:lower:]')
	fi
	matches "$1" NODE "$name" 'a name such as leaf1'
	matches "$1" ROLE '^(leaf|spine|border)$' 'leaf, spine or border'
	matches "$1" LABELS "$label" 'KEY=VALUE,KEY=VALUE'
	matches "$1" TAINT "$label" 'the key of a taint, or empty'
	matches "$1" MEMORY '^[1-9][0-9]{2,5}$' 'MiB for kubelet, containerd and all pods'
	matches "$1" DISK '^[1-9][0-9]{2,6}$' 'MiB that have to be free in /host'
	matches "$1" PAUSE "$ref" 'the name of the pause image'
	matches "$1" MGMT_VRF '^(auto|no)$' 'auto or no'
	matches "$1" NODE_IP '^[0-9a-fA-F.:]*$' 'an address, or empty for that of eth0'
	matches "$1" KUBELET_ADDRESS '^[0-9a-fA-F.:]*$' 'an address, or empty for no port at all'
	matches "$1" REGISTRY '^(https?://[-A-Za-z0-9_./:]+)?$' 'the URL of a registry, or empty'
	matches "$1" BUNDLE '^(/|https?://)[-A-Za-z0-9_./:]+$' 'a folder, or a URL, with the programs'
	matches "$1" SUMS '^[0-9a-f]{64}$' "the output of: sha256sum SHA256SUMS, in the bundle's folder"
	if [ -n "${setting[KUBECONFIG]}" ]; then return 0; fi
	if certified && [ -z "${setting[TOKEN]}" ]; then return 0; fi
	matches "$1" SERVER '^https://([-A-Za-z0-9_.]+|\[[0-9a-fA-F:]+\])(:[0-9]+)?$' 'https://HOST:PORT of the API server'
	matches "$1" CA_DATA '^[A-Za-z0-9+/=]+$' "base64 of the cluster's certificate authority"
	matches "$1" TOKEN '^[a-z0-9]{6}\.[a-z0-9]{16}$' 'a bootstrap token'
}

matches() { # FILE KEY PATTERN MEANING
	[[ ${setting[$2]} =~ $3 ]] || die "$1: $2=\"${setting[$2]}\" is not $4"
}

# settings_text is what is kept: a token only as long as it is needed.
settings_text() {
	local key
	if certified; then setting[TOKEN]=''; fi
	for key in $(printf '%s\n' "${!setting[@]}" | sort); do say "$key=${setting[$key]}"; done
}

# certified is whether the kubelet has a certificate of its own.
certified() { [ -e $store/pki/kubelet-client-current.pem ]; }

