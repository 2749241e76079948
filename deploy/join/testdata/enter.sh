# enter.sh ROOT NAME=VALUE... -- COMMAND...: runs a command in ROOT as on a switch.
# What it mounts is gone with it: it has a mount namespace of its own.
set -eu
root=$1 && shift
environment=()
while [ "$1" != -- ]; do environment+=("$1") && shift; done
shift
mount --rbind /usr "$root/usr"
mount --rbind "$STANDINS" "$root/usr/local/sbin"
mount --rbind /dev "$root/dev"
mount --rbind /proc "$root/proc"
mount --rbind /etc/alternatives "$root/etc/alternatives"
mount --bind "$BUNDLE" "$root/bundle"
mount --bind "$HOST" "$root/host"
if [ -n "${CGROUPS-}" ]; then mount --rbind /sys/fs/cgroup "$root/sys/fs/cgroup"; fi
# No kernel parameter of this machine can be reached, only copies of them.
mount --bind "$root/var/standin/sys" "$root/proc/sys"
mount --bind "$root/var/standin/meminfo" "$root/proc/meminfo"
exec chroot "$root" /usr/bin/env -i PATH=/usr/local/sbin:/usr/sbin:/usr/bin LC_ALL=C "${environment[@]}" "$@"
