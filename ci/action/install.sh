#!/usr/bin/env bash
# Puts relaylab into $RELAYLAB_PREFIX: $RELAYLAB_PACKAGE if it is set, else a tarball of the revision that this file belongs to.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
program="$RELAYLAB_PREFIX/node_modules/.bin/relaylab"
quiet=(--ignore-scripts --no-audit --no-fund --loglevel=error)

if [ -x "$program" ]; then
  echo "relaylab $("$program" --version), from the cache"
  exit 0
fi
mkdir -p "$RELAYLAB_PREFIX"
package=${RELAYLAB_PACKAGE:-}
if [ -z "$package" ]; then
  (cd "$root" && npm ci "${quiet[@]}" && npm pack --loglevel=error --pack-destination "$RELAYLAB_PREFIX")
  package=$(ls "$RELAYLAB_PREFIX"/relaylab-*.tgz)
fi
[ -f "$RELAYLAB_PREFIX/package.json" ] || echo '{ "private": true }' >"$RELAYLAB_PREFIX/package.json"
npm install --prefix "$RELAYLAB_PREFIX" "${quiet[@]}" "$package"
echo "relaylab $("$program" --version), installed"
