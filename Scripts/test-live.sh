#!/usr/bin/env bash
# Tests that need a socket, a process and curl: the server's protocols, connections, TLS, keys and shutdown. Needs no Python
# packages; Scripts/check-clients.sh runs third-party clients. Usage: Scripts/test-live.sh [path of apus]
set -Eeuo pipefail
cd "$(dirname "$0")/.."

apus=${1:-.build/test/debug/apus}
work=$(mktemp -d)
. Scripts/server.sh
trap '[ -z "$server" ] || kill "$server" 2>/dev/null; rm -rf "$work"' EXIT
trap 'echo "test-live: line $LINENO: $BASH_COMMAND" >&2' ERR
picture=$PWD/Examples/pictures/farm.jpg

start --idle-timeout 3600s
url=http://127.0.0.1:$port
for request in "-F file=@$picture" "--data-binary @$picture -H Content-Type:image/jpeg" "--data-binary @$picture"; do
    # shellcheck disable=SC2086 # words of a command
    curl -sSf $request "$url/predict" | grep -q '"category":"sheep"'
done
curl -sSf -F file=@"$picture" -H 'Accept: image/png' -o "$work/boxes.png" "$url/predict?annotate=true"
[ "$(head -c 4 "$work/boxes.png" | tail -c 3)" = PNG ]
[ "$(curl -s -o /dev/null -w '%{http_code}' -F file=@README.md "$url/predict")" = 400 ]
# curl waits up to a second for 100 Continue before sending a large body.
head -c 2000000 /dev/zero >>"$work/large.jpg"
curl -sv --data-binary @"$work/large.jpg" -H 'Expect: 100-continue' -o /dev/null "$url/predict" 2>"$work/curl"
grep -q '< HTTP/1.1 100 Continue' "$work/curl"
# A request that will be rejected must not get 100 Continue.
head -c 21000000 /dev/zero >"$work/larger.jpg"
curl -sv --data-binary @"$work/larger.jpg" -H 'Expect: 100-continue' -o /dev/null "$url/predict" 2>"$work/curl"
grep -q '< HTTP/1.1 413' "$work/curl"
if grep -q '< HTTP/1.1 100 Continue' "$work/curl"; then
    echo "test-live: the server requested a body that it rejects" >&2
    exit 1
fi
# curl requests HTTP/2 with Upgrade, which is ignored: both URLs get a response, the second on another connection.
[ "$(curl -s --http2 -m 600 -o /dev/null -o /dev/null -w '%{http_code} ' "$url/v2" "$url/v2/health/live")" = "200 200 " ]
# The health check of packaging/Dockerfile speaks HTTP/1.0, and reads until the connection ends.
timeout 600 bash -c "exec 3<>/dev/tcp/127.0.0.1/$port && printf 'GET /v2/health/ready HTTP/1.0\\r\\n\\r\\n' >&3 && grep -q '200 OK' <&3"
# A page whose host name resolves to this machine is rejected; a health check is not.
for request in '403 evil.example /v2' '403 evil.example:80 /status' '200 evil.example /v2/health/ready' '200 [::1]:8000 /v2' \
    "200 localhost:$port /v2"; do
    read -r status host path <<<"$request"
    [ "$(curl -s -o /dev/null -w '%{http_code}' -H "Host: $host" "$url$path")" = "$status" ]
done
echo "curl: forms, raw bodies and an annotated image work"
stop

make_keys
start --tls-cert "$work/cert.pem" --tls-key "$work/key.pem" --api-key-file "$work/keys" --host localhost
url=https://127.0.0.1:$port
ask() { curl -sS --cacert "$work/cert.pem" -o /dev/null -w '%{http_code}' -F file=@"$picture" "$@"; }
[ "$(ask "$url/predict")" = 401 ]
[ "$(ask -H "Authorization: Bearer $key" "$url/predict")" = 200 ]
[ "$(ask -H "X-API-Key: ${key}x" "$url/predict")" = 401 ]
[ "$(curl -sS --cacert "$work/cert.pem" -o /dev/null -w '%{http_code}' -F image=@"$picture" -F api_key="$key" \
    "$url/v1/vision/detection")" = 200 ]
[ "$(curl -sS --cacert "$work/cert.pem" -o /dev/null -w '%{http_code}' "$url/v2/health/ready")" = 200 ]
if curl -sS --tls-max 1.1 --cacert "$work/cert.pem" "$url/v2" >/dev/null 2>&1; then
    echo "test-live: TLS 1.1 was accepted" >&2
    exit 1
fi
stop
echo "TLS and keys: clients without a key are rejected"

python3 Tests/Clients/http_limits.py "$apus" "$picture"
