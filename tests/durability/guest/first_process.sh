#!/bin/sh
# Process 1 of a guest. FOLDER (command, output, status), REPOSITORY and MODULES come from the kernel's command line.
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devices /dev
mkdir -p /dev/pts /dev/shm
mount -t devpts terminals /dev/pts
mount -t tmpfs memory /dev/shm

# The root is this machine's, and only read. Two folders are shown as they are, wherever they lie; what programs write
# elsewhere is in memory.
mount -t tmpfs memory /mnt
mkdir /mnt/folder /mnt/repository
mount -t hostfs -o "$FOLDER" folder /mnt/folder
mount -t hostfs -o "$REPOSITORY" repository /mnt/repository
for place in /tmp /run /srv /var/lib/nfs /var/log /var/tmp; do
    [ ! -d "$place" ] || mount -t tmpfs memory "$place"
done
mkdir -p "$FOLDER" "$REPOSITORY"
mount --move /mnt/repository "$REPOSITORY"
mkdir -p "$FOLDER"  # it may be in the repository
mount --move /mnt/folder "$FOLDER"

# The kernel asks this program for file systems and the like by their names.
mkdir -p /run/kernel/lib
ln -s "$MODULES" /run/kernel/lib/modules
printf '#!/bin/sh\nexec modprobe --dirname /run/kernel "$@"\n' > /run/modprobe
chmod +x /run/modprobe
echo /run/modprobe > /proc/sys/kernel/modprobe
ip link set lo up

cd "$REPOSITORY" || exit 1
sh "$FOLDER/command" > "$FOLDER/output" 2>&1 < /dev/null
echo $? > "$FOLDER/status"
sync
echo o > /proc/sysrq-trigger
sleep 10
