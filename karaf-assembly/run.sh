#!/usr/bin/env bash
# Builds the product, starts it in the background, and proves that a virtual TPM named demo answers.
#   run.sh         build, start, create demo, say what to do next; does no harm when it runs already
#   run.sh stop    stop it; instances and their state stay
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")"
root=$(cd .. && pwd)
home=$PWD/target/run
console=$PWD/target/console.log
# Karaf itself reads this variable too, in its server and in bin/client.
ssh_port=${ORG_APACHE_KARAF_SHELL_SSHPORT:-8101}
demo_port=${VTPM_DEMO_PORT:-6545}

die() {
    printf '%s\n' "$@" >&2
    exit 1
}

find_java() {
    local candidate
    for candidate in "${JAVA_HOME:-}" "$(dirname "$(dirname "$(readlink -f "$(command -v javac || echo /none/bin/javac)")")")" \
        /usr/lib/jvm/java-17-* /usr/lib/jvm/*-17-*; do
        if [ -n "$candidate" ] && [ -x "$candidate/bin/javac" ] && "$candidate/bin/javac" -version 2>&1 | grep -q '^javac 17\.'; then
            export JAVA_HOME=$candidate
            return
        fi
    done
    die "There is no JDK 17. On Debian 12: apt-get install openjdk-17-jdk-headless" \
        "If it is elsewhere, set JAVA_HOME to its folder."
}

running() {
    [ -s "$home/data/karaf.pid" ] && kill -0 "$(cat "$home/data/karaf.pid")" 2>/dev/null
}

listening() {
    (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null
}

# Runs lines of shell commands; fails if one of them does.
shell() {
    printf '%s\n' "$@" | "$home/bin/client" -b
}

build() {
    command -v mvn >/dev/null || die "There is no mvn. On Debian 12: apt-get install maven"
    echo "Building ..."
    # Maven resets the terminal's colours even where it was told to use none.
    mvn -q -B -ntp -DskipTests -f "$root/pom.xml" -pl karaf-assembly -am package 2>&1 | sed $'s/\033\\[0m//g'
}

# Installs over what an earlier run left: its instances and its password stay, cached copies of its bundles do not.
install_product() {
    mkdir -p "$home"
    (cd "$home" && rm -rf bin lib system vtpmd data/cache data/tmp)
    local keep=()
    if [ -e "$home/etc/users.properties" ]; then
        keep=(--exclude='*/etc/users.properties')
    fi
    tar -xzf target/karaf-assembly-*.tar.gz -C "$home" --strip-components=1 "${keep[@]}"
}

start() {
    local port
    for port in "$ssh_port" "$demo_port"; do
        if listening "$port"; then
            die "Port $port of 127.0.0.1 is in use by another program (ss -ltnp 'sport = :$port' shows which). End it, or" \
                "choose other ports: ORG_APACHE_KARAF_SHELL_SSHPORT for the shell, VTPM_DEMO_PORT for demo."
        fi
    done
    echo "Starting ..."
    KARAF_REDIRECT=$console "$home/bin/start" >/dev/null
}

wait_until_ready() {
    local seconds
    for seconds in $(seq 120); do
        if listening "$ssh_port" && shell vtpm:list >/dev/null 2>&1; then
            return
        fi
        # The pid file comes a moment after the process.
        if [ "$seconds" -gt 10 ] && ! running; then
            die "Karaf ended while it started:" "$(tail -n 20 "$console" 2>/dev/null)" "Its log: $home/data/log/karaf.log"
        fi
        sleep 1
    done
    die "The shell did not answer on port $ssh_port of 127.0.0.1 for two minutes. Karaf's log: $home/data/log/karaf.log"
}

create_demo() {
    local endpoint=tcp:127.0.0.1:$demo_port shown
    if ! shown=$(shell 'vtpm:show demo' 2>/dev/null); then
        shell "vtpm:create demo --endpoint $endpoint"
        return
    fi
    shell 'vtpm:start demo' >/dev/null
    case $shown in
        *"$endpoint:"*) ;;
        *) shell "vtpm:attach demo $endpoint" ;;
    esac
}

# Sends TPM_GetCapability(TPM_CAP_VERSION_VAL) and checks that the answer is a success.
ask_demo() {
    local answer
    answer=$(
        exec 2>/dev/null 3<>"/dev/tcp/127.0.0.1/$demo_port" || exit
        printf '\x00\xc1\x00\x00\x00\x12\x00\x00\x00\x65\x00\x00\x00\x1a\x00\x00\x00\x00' >&3
        timeout 10 head -c 10 <&3 | od -An -v -tx1 | tr -d ' \n'
    ) || true
    case $answer in
        00c4*00000000) echo "demo answers TPM commands on tcp:127.0.0.1:$demo_port." ;;
        *) die "demo did not answer TPM_GetCapability as a TPM does, but with: ${answer:-nothing}" \
            "vtpm:show demo may say why; the log is $home/data/log/karaf.log" ;;
    esac
}

say_what_next() {
    local client=${home#"$root"/}/bin/client
    cat <<END

Use demo from a real client (TrouSerS):
  sudo apt-get install trousers tpm-tools
  sudo env TCSD_TCP_DEVICE_PORT=$demo_port tcsd -e       (a daemon; sudo pkill -x tcsd ends it)
  tpm_version

List instances, and see what else the shell can do (in the folder $root):
  echo vtpm:list | $client -b
  $client                     (then: vtpm:<TAB>, help vtpm:create; leave with logout)

Log:   ${home#"$root"/}/data/log/karaf.log
Stop:  karaf-assembly/run.sh stop
END
}

case ${1:-} in
    '')
        find_java
        if running; then
            echo "It runs already, with process $(cat "$home/data/karaf.pid"); to start what was built anew, stop it first."
        else
            build
            install_product
            start
        fi
        wait_until_ready
        create_demo
        ask_demo
        say_what_next
        ;;
    stop)
        running || die "It does not run."
        find_java
        "$home/bin/stop"
        for _ in $(seq 60); do
            running || exit 0
            sleep 0.5
        done
        die "It did not stop in 30 seconds: process $(cat "$home/data/karaf.pid")."
        ;;
    *)
        die "usage: run.sh [stop]"
        ;;
esac
