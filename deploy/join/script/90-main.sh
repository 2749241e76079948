# --- the command line

lock() {
	exec 9>/run/switchlet-join.lock
	flock -n 9 || die 'another run is under way'
}

main() {
	local verb='' file='' argument=''
	while [ $# != 0 ]; do
		case $1 in
		--dry-run) dry=yes ;;
		--settings) verb=join file=${2-} && shift ;;
		--exec) verb=exec argument=${2-} && shift ;;
		--check | --leave | --guard | --before-upgrade | --after-upgrade) verb=${1#--} ;;
		-h | --help) usage && exit 0 ;;
		*) usage >&2 && die "unknown argument \"$1\"" ;;
		esac
		shift || die "the last argument lacks its value"
	done
	case $verb in
	join)
		lock
		read_settings "$file"
		install
		;;
	check) check ;;
	leave)
		lock
		leave
		;;
	exec) start_program "$argument" ;;
	guard)
		lock
		guard
		;;
	before-upgrade) before_upgrade ;;
	after-upgrade)
		lock
		after_upgrade
		;;
	*)
		usage >&2
		exit 2
		;;
	esac
}

main "$@"
