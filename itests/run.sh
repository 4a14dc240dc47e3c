#!/bin/bash
# Runs every test there is, and ends with a summary whose last line is "N passed, N failed". Of the Xen lab's stories it runs
# the shortest. docs/testing.md says how to run less, or longer.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# Karaf and the compiler's checks are pinned to Java 17; a newer default JDK is passed over if a 17 is installed.
java_is_17() { "$1/bin/javac" -version 2>&1 | grep -q '^javac 17\.'; }
if [ -z "${JAVA_HOME:-}" ] || ! java_is_17 "$JAVA_HOME"; then
    for JAVA_HOME in "$(dirname "$(dirname "$(readlink -f "$(command -v javac || echo /none/bin/javac)")")")" \
        /usr/lib/jvm/java-17-* /usr/lib/jvm/*-17-*; do
        java_is_17 "$JAVA_HOME" && break
    done
fi
if ! java_is_17 "$JAVA_HOME"; then
    echo "No JDK 17 found. Install it with: apt-get install -y openjdk-17-jdk-headless" >&2
    exit 1
fi
export JAVA_HOME
if ! command -v mvn >/dev/null; then
    echo "Maven not found. Install it with: apt-get install -y maven" >&2
    exit 1
fi
bash itests/peers.sh --install || exit 1

reports() {
    find . -path '*/target/surefire-reports/TEST-*.xml' -o -path '*/target/failsafe-reports/TEST-*.xml'
}
reports | xargs -r rm -f
started=$(date +%s)
mvn -B -ntp -Dstyle.color=never --fail-at-end "$@" verify </dev/null
maven=$?

# Arguments choose tests of Maven's; without any, the lab belongs to "every test".
lab=none
if [ $# = 0 ]; then
    lab_started=$(date +%s)
    bash itests/xenlab/run.sh --install boot </dev/null
    lab=$?
    lab_took=$(($(date +%s) - lab_started))
fi

# One line per suite, the totals last. A skipped test has not passed, so it counts as failed.
attribute() { sed -n "s/.*<testsuite [^>]*[^a-z]$1=\"\([^\"]*\)\".*/\1/p" "$2" | head -n 1; }
passed=0
failed=0
echo
echo "Suites"
while read -r report; do
    # The opening tag may be broken into lines.
    head=$(mktemp)
    tr '\n' ' ' <"$report" | grep -o '<testsuite [^>]*>' | head -n 1 >"$head"
    tests=$(attribute tests "$head")
    bad=$(($(attribute errors "$head") + $(attribute failures "$head") + $(attribute skipped "$head")))
    printf '  %-62s %5d passed %3d failed %8s s\n' "$(attribute name "$head")" $((tests - bad)) "$bad" "$(attribute time "$head")"
    passed=$((passed + tests - bad))
    failed=$((failed + bad))
    rm -f "$head"
done < <(reports | sort)
if [ $maven != 0 ] && [ $failed = 0 ]; then
    echo "The build failed outside of the tests; see [ERROR] above. It counts as one failure."
    failed=1
fi
if [ "$lab" != none ]; then
    story_passed=$((lab == 0))
    printf '  %-62s %5d passed %3d failed %8s s\n' "Xen lab: boot" $story_passed $((1 - story_passed)) "$lab_took"
    passed=$((passed + story_passed))
    failed=$((failed + 1 - story_passed))
fi
echo "Coverage: bundles/*/target/site/jacoco/index.html ($(find bundles -path '*/site/jacoco/index.html' | wc -l) reports)"
echo "Time: $((($(date +%s) - started) / 60)) min $((($(date +%s) - started) % 60)) s"
if [ $passed = 0 ] && [ $failed = 0 ]; then
    echo "No test ran." >&2
    failed=1
fi
echo "$passed passed, $failed failed"
[ $failed = 0 ] && [ $maven = 0 ]
