#!/usr/bin/env bash
# Builds, from Go modules, a real OpenTelemetry Collector and telemetrygen into .services/bin (ignored by git), for the
# tests and `inquest bench clients` that want real clients. Needs Go; takes minutes the first time, nothing when both are there.
set -euo pipefail
cd "$(dirname "$0")/../.."

version=v0.161.0
bin="$PWD/.services/bin"
if ! go=$(command -v go || command -v /usr/local/go/bin/go); then
  echo 'build-collector: Go is not installed; install Go 1.25 or later and run this again' >&2
  exit 2
fi
# One package at a time and at low priority: these builds are large, and nobody waits for them.
export GOFLAGS="${GOFLAGS:-} -p=1" GOBIN="$bin" CGO_ENABLED=0
mkdir -p "$bin"

if [[ ! -x "$bin/telemetrygen" ]]; then
  nice "$go" install "github.com/open-telemetry/opentelemetry-collector-contrib/cmd/telemetrygen@$version"
fi
if [[ ! -x "$bin/otelcol" ]]; then
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
  # The builder calls `go` by name.
  PATH="$(dirname "$go"):$PATH"
  sed "s|^dist:|dist:\n  output_path: $work/otelcol|" bench/collector/builder.yaml >"$work/builder.yaml"
  nice "$go" run "go.opentelemetry.io/collector/cmd/builder@$version" --config "$work/builder.yaml"
  # Renamed into place when whole: a build that was interrupted leaves no half Collector.
  mv "$work/otelcol/otelcol" "$bin/otelcol"
fi
echo "build-collector: $bin/otelcol and $bin/telemetrygen"
