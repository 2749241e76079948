# --- programs: all of one bundle, checked, in a folder of their own

in_vrf() {
	if use_vrf; then ip vrf exec mgmt "$@"; else "$@"; fi
}

use_vrf() {
	[ "${setting[MGMT_VRF]}" = auto ] &&
		[ "$(sonic-db-cli CONFIG_DB hget 'MGMT_VRF_CONFIG|vrf_global' mgmtVrfEnabled)" = true ]
}

fetch() { # NAME FOLDER
	case ${setting[BUNDLE]} in
	/*) cp "${setting[BUNDLE]}/$1" "$2/$1.part" ;;
	*) in_vrf curl -fsS --retry 3 --connect-timeout 10 -o "$2/$1.part" "${setting[BUNDLE]}/$1" ;;
	esac || die "$1 cannot be fetched from ${setting[BUNDLE]}: is the bundle complete, and reachable from here?"
	mv -f "$2/$1.part" "$2/$1"
}

# sum FILE is its SHA-256, or nothing.
sum() { if [ -f "$1" ]; then sha256sum <"$1" | cut -d ' ' -f 1; fi; }

install_programs() {
	local sums=${setting[SUMS]} folder name wanted
	folder=$store/programs/${setting[SUMS]:0:16}
	if [ ! -d "$folder" ] && [ -n "$offline" ]; then
		later=yes
		say "the programs are not in $store: they are fetched once SONiC has booted"
		mkdir -p $store # without it the guard would take the switch for one that has left
		return 0
	elif [ ! -d "$folder" ]; then
		begin
		say "fetch  ${programs[*]} pause.tar from ${setting[BUNDLE]} into $folder"
		if [ -n "$dry" ]; then return 0; fi
		mkdir -p "$folder.partial"
		chmod 700 $store
		fetch SHA256SUMS "$folder.partial"
		[ "$(sum "$folder.partial/SHA256SUMS")" = "$sums" ] ||
			die "SHA256SUMS of ${setting[BUNDLE]} is not the one that SUMS=$sums names: the bundle was changed, or the settings are of another one"
		for name in "${programs[@]}" pause.tar; do
			wanted=$(awk -v name="$name" '$2 == name || $2 == "*" name {print $1}' "$folder.partial/SHA256SUMS")
			[ -n "$wanted" ] || die "SHA256SUMS of ${setting[BUNDLE]} lacks $name: add it to the bundle"
			if [ "$(sum "$folder.partial/$name")" != "$wanted" ]; then fetch "$name" "$folder.partial"; fi
			[ "$(sum "$folder.partial/$name")" = "$wanted" ] || die "$name from ${setting[BUNDLE]} is not what SHA256SUMS says: fetch it anew into the bundle"
			chmod 700 "$folder.partial/$name"
		done
		"$folder.partial/kubelet" --version >/dev/null || die "kubelet of ${setting[BUNDLE]} does not run here: is the bundle for $(uname -m)?"
		sync
		mv -T "$folder.partial" "$folder"
	fi
	use_programs "programs/${sums:0:16}"
}

# use_programs FOLDER has bin point there, and drops what earlier runs left.
use_programs() {
	local other
	if [ "$(readlink $store/bin)" != "$1" ]; then
		begin
		say "link   $store/bin -> $1"
		if [ -n "$dry" ]; then return 0; fi
		ln -sfn "$1" $store/bin.new
		mv -fT $store/bin.new $store/bin
		reload=yes
	fi
	for other in "$store"/programs/*; do
		if [ "$other" != "$store/$1" ]; then drop "$other"; fi
	done
}

