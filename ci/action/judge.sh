#!/usr/bin/env bash
# Runs the gate as the action's inputs say (GATE_*). Its exit code is the step's, but 4 may be a warning.
set -uo pipefail

args=("$GATE_PROFILE" --out "$GATE_REPORT")
given() { if [ -n "${!2:-}" ]; then args+=("$1" "${!2}"); fi; }
given --exec GATE_EXEC
given --image GATE_IMAGE
given --address GATE_ADDRESS
given --key GATE_KEY
given --ticket GATE_TICKET
given --case GATE_CASES
given --link GATE_LINK
given --nat GATE_NAT

case "${GATE_UNDECIDED:-fail}" in
  fail | warn) ;;
  *)
    echo "undecided: expected fail or warn, got ${GATE_UNDECIDED}" >&2
    exit 2
    ;;
esac

code=0
"$RELAYLAB_PREFIX/node_modules/.bin/relaylab" conformance "${args[@]}" || code=$?
{
  echo "exit-code=$code"
  echo "report=$PWD/$GATE_REPORT/report.html"
} >>"${GITHUB_OUTPUT:-/dev/null}"
if [ "$code" -eq 4 ] && [ "${GATE_UNDECIDED:-fail}" = warn ]; then
  echo "::warning title=relaylab::nothing is broken, but something could not be judged"
  exit 0
fi
exit "$code"
