#!/usr/bin/env bash
# What `make run` does: takes a log in (LOG=…, else the sample shop), shows the inventory, serves the page.
# With CI=true or ONCE=1 it shows and ends.
set -euo pipefail
wardgate=${WARDGATE:-.venv/bin/wardgate}
python=${PYTHON_BIN:-.venv/bin/python}
folder=${RUN_FOLDER:-.run}
mkdir -p "$folder"
judged=()  # listings that need a description

if [ -n "${LOG:-}" ]; then
  home=$folder/home
  # shellcheck disable=SC2086 # INGEST_OPTIONS holds several words
  "$wardgate" --home "$home" ingest "$LOG" ${INGEST_OPTIONS:-}
else
  home=$folder/sample-home
  if [ ! -e "$folder/sample/gateway.jsonl" ]; then
    echo "A day of a sample shop's traffic goes into $folder/sample."
    "$python" samples/shop.py "$folder/sample"
  fi
  # The gateway sees credentials, the edge sees everything else; calls that both saw count once.
  "$wardgate" --home "$home" ingest "$folder/sample/gateway.jsonl" --vantage gateway
  "$wardgate" --home "$home" ingest "$folder/sample/edge.log" --log-config "$folder/sample/nginx.conf" --vantage edge
  # What the shop says of its API, and who owns which files; warehouse operations follow their code's owner.
  "$wardgate" --home "$home" spec add samples/shop/api/openapi.yaml
  "$wardgate" --home "$home" owners codeowners samples/shop
  "$wardgate" --home "$home" owners add --code warehouse/ --service api.shop.example --template '/internal/*'
  judged=("operations --standing shadow" "operations --owner none --limit 5")
fi

for listing in services "operations --limit 15" "${judged[@]}" "credentials --limit 8" "callers --limit 8" sources; do
  printf '\n$ wardgate --home %s %s\n' "$home" "$listing"
  # shellcheck disable=SC2086 # a listing is a command with its options
  "$wardgate" --home "$home" $listing
done

if [ "${CI:-}" = true ] || [ -n "${ONCE:-}" ]; then
  exit 0
fi
echo
exec "$wardgate" --home "$home" up ${PORT:+--port "$PORT"}
