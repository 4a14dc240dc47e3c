#!/bin/bash
# Builds what is measured and measures it, with every benchmark or with the one that is named:
# benchmarks/run.sh [RoundTripBenchmark | DurableWriteBenchmark | TransportBenchmark]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
mvn -q -B -pl benchmarks -am -DskipTests package
for benchmark in ${1:-RoundTripBenchmark DurableWriteBenchmark TransportBenchmark}; do
    java -cp "benchmarks/target/classes:$(cat benchmarks/target/classpath)" \
        -Dvtpm.assembly="$(realpath karaf-assembly/target/karaf-assembly-*.tar.gz)" \
        -Dvtpm.vtpmd="$(realpath bundles/vtpmd/target/vtpmd-*-all.jar)" \
        "org.vtpm.benchmarks.${benchmark}"
done
