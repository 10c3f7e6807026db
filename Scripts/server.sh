# shellcheck shell=bash disable=SC2154 # apus and work are set by the sourcing script
# Starts and stops a server for test scripts that source this. They set `apus` and `work`, a folder.
server=

start() { # options; sets server, port and, with --grpc-port, grpc_port
    "$apus" serve --port 0 --device cpu "$@" 2>"$work/log" &
    server=$!
    for _ in $(seq 6000); do # ten minutes, which only a hang reaches
        grep -q 'model ready' "$work/log" && break
        kill -0 "$server" 2>/dev/null || { cat "$work/log" && exit 1; }
        sleep 0.1
    done
    # shellcheck disable=SC2034 # used by the sourcing script
    port=$(grep 'info listening address' "$work/log" | grep -oE '[0-9]+$')
    # shellcheck disable=SC2034
    grpc_port=$(grep 'listening for gRPC' "$work/log" | grep -oE '[0-9]+' | tail -1 || true)
}

stop() {
    kill -TERM "$server"
    wait "$server" || { echo "${0##*/}: the server exited with $?" && cat "$work/log" && exit 1; }
    server=
}

# A certificate for this machine and an API key: $work/cert.pem, $work/key.pem, $work/keys, $key.
make_keys() {
    openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -addext subjectAltName=IP:127.0.0.1,DNS:localhost \
        -keyout "$work/key.pem" -out "$work/cert.pem" 2>/dev/null
    key=$(openssl rand -hex 32)
    printf '# for the tests\n%s\n' "$key" >"$work/keys"
}
