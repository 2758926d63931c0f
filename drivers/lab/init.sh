#!/bin/bash
# The first process of the lab's guest; run.sh starts it. The root is the host's own, read only;
# all that is written goes to memory. Only the job's folder is shared with the host, and carries
# the program's output and exit status out.
set -u
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin

job=$anju_lab_job
root=/run/root

power_off() {
    sync
    echo o >/proc/sysrq-trigger
    # The kernel ends within the instant; should it not, the host's deadline does.
    sleep infinity
}
give_up() {
    echo "init: $*"
    [[ ! -d $root/run/lab ]] || echo "$*" >"$root/run/lab/trouble"
    power_off
}

mount -t proc proc /proc || exit 1
mount -t tmpfs -o mode=755 lab /run || give_up "no tmpfs"
mkdir /run/upper /run/work $root
mount -t overlay -o lowerdir=/,upperdir=/run/upper,workdir=/run/work lab $root ||
    give_up "the kernel cannot lay memory over the host's files (OVERLAY_FS)"
mount -t tmpfs -o mode=755 run $root/run || give_up "no /run"
mkdir $root/run/lab
mount -t hostfs -o "$job" job $root/run/lab || give_up "no job folder $job"
mount -t proc proc $root/proc || give_up "no /proc"
mount -t sysfs sys $root/sys || give_up "no /sys"
mount -t devtmpfs dev $root/dev || give_up "the kernel lacks devtmpfs"
mkdir -p $root/dev/pts $root/dev/shm
mount -t devpts -o ptmxmode=666 pts $root/dev/pts || give_up "no /dev/pts"
mount -t tmpfs shm $root/dev/shm
mount -t configfs config $root/sys/kernel/config || give_up "the kernel lacks configfs"
ip link set lo up || give_up "no loopback network (ip)"

# One standing chip. Its far ends are pulled up and down through sysfs.
mapfile -t lines <"$job/lines"
sim=$root/sys/kernel/config/gpio-sim/lab
mkdir -p $sim/bank0 2>/dev/null || give_up "the kernel lacks gpio-sim"
echo "${#lines[@]}" >$sim/bank0/num_lines
echo anju-lab >$sim/bank0/label
for index in "${!lines[@]}"; do
    mkdir $sim/bank0/line"$index"
    echo "${lines[index]}" >$sim/bank0/line"$index"/name
done
echo 1 >$sim/live || give_up "gpio-sim did not come alive"
chip=$(<$sim/bank0/chip_name)
pulls=/sys/devices/platform/$(<$sim/dev_name)/$chip
[[ -c $root/dev/$chip && -d $root$pulls ]] || give_up "gpio-sim came alive without its chip"

bus=$(grep -lis virtio $root/sys/class/i2c-dev/*/name) || give_up "the kernel has no I2C bus (I2C_VIRTIO)"
bus=/dev/$(basename "$(dirname "$bus")")

chroot $root /bin/bash -c '
    source /run/lab/environment
    export ANJU_LAB=1 ANJU_LAB_CHIP=$0 ANJU_LAB_PULLS=$1 ANJU_LAB_I2C=$2 ANJU_LAB_CHIPS=/run/lab/chips
    cd "$(</run/lab/folder)" || exit 125
    eval "exec $(</run/lab/command)"
' "/dev/$chip" "$pulls" "$bus" </dev/null >"$root/run/lab/stdout" 2>"$root/run/lab/stderr"
echo $? >"$root/run/lab/status"
power_off
