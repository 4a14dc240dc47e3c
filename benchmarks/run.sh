#!/bin/bash
# Builds what is measured and measures it: benchmarks/run.sh
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
mvn -q -B -pl benchmarks -am -DskipTests package
java -cp "benchmarks/target/classes:$(cat benchmarks/target/classpath)" org.vtpm.benchmarks.TransportBenchmark \
    bundles/vtpmd/target/vtpmd-*-all.jar
