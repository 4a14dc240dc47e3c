#!/bin/bash
# Process 1 of dom0: starts what xl needs, tells the stories that run.sh lists in /results/stories until one fails, keeps what
# each leaves in a folder of /results, and switches the machine off.
export PATH=/usr/lib/xen-4.17/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 TERM=dumb

option() {
    tr ' ' '\n' </proc/cmdline | sed -n "s/^xenlab\.$1=//p"
}

# The machine's clock cannot be trusted to be right: certificates and logs need it.
busybox date -u -s "@$(option clock)" >/dev/null
busybox hostname dom0
echo '127.0.0.1 localhost dom0' >/etc/hosts
busybox ifconfig lo 127.0.0.1 up

mkdir -p /dev/pts /dev/shm
mount -t devpts devpts /dev/pts
mount -t tmpfs tmpfs /dev/shm
mount -t tmpfs -o mode=0755 tmpfs /run
mount -t tmpfs -o mode=1777 tmpfs /tmp
mount -t xenfs xenfs /proc/xen
mkdir -p /var/log/xen/console /run/xen /run/xenstored /run/lock /var/lib/xen /var/lib/xenstored

xenstored --pid-file /run/xenstored.pid
until xenstore-read -s / >/dev/null 2>&1; do
    sleep 0.2
done
xen-init-dom0 >/dev/null
xenconsoled --log=guest --log-dir=/var/log/xen/console --pid-file=/run/xenconsoled.pid

# keep FOLDER: what helps to see why a story went as it did.
keep() {
    xl list >"$1/xl-list.txt" 2>&1
    timeout 20 xenstore-ls -fp >"$1/xenstore.txt" 2>&1
    xl dmesg >"$1/xen-dmesg.txt" 2>&1
    dmesg >"$1/dom0-dmesg.txt"
    cp -r /var/log/xen "$1/xen-logs"
    cp /opt/vtpm/data/log/karaf.log /root/hs_err_pid*.log "$1" 2>/dev/null
    chmod -R a+rX "$1"
}

seconds=$(option seconds)
while read -r story; do
    export STORY=$story RESULTS=/results/$story
    (cd /root && timeout -k 10 "$seconds" bash "/lab/stories/$story.sh" >>"$RESULTS/story.log" 2>&1 </dev/null)
    status=$?
    [ $status != 124 ] && [ $status != 137 ] || echo "FAILED: the story did not end in $seconds s" >>"$RESULTS/story.log"
    keep "$RESULTS"
    echo $status >"$RESULTS/status"
    [ $status = 0 ] || break
done </results/stories
sync
echo o >/proc/sysrq-trigger
sleep 60
