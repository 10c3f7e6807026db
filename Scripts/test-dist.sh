#!/usr/bin/env bash
# Runs the tarball in a fresh minimal Debian: detect, doctor, verify, and the server. Needs root and debootstrap.
# Usage: Scripts/test-dist.sh dist/apus-….tar.gz
set -euo pipefail
cd "$(dirname "$0")/.."
tarball=$(realpath "$1")
root=$(mktemp -d)
trap 'umount "$root/proc" 2>/dev/null; rm -rf --one-file-system "$root"' EXIT
command -v debootstrap >/dev/null || { echo "test-dist: debootstrap is required: sudo apt-get install debootstrap" >&2 && exit 1; }
debootstrap --variant=minbase bookworm "$root" "${DEBIAN_MIRROR:-$(awk '/^(deb|URIs:)/ {print $2; exit}' /etc/apt/sources.list /etc/apt/sources.list.d/*.sources 2>/dev/null)}" >"$root.log" 2>&1 ||
    { tail -20 "$root.log" && exit 1; }
mkdir -p "$root/opt" "$root/pictures"
tar -C "$root/opt" -xzf "$tarball"
mv "$root"/opt/apus-* "$root/opt/apus"
cp Examples/pictures/farm.jpg "$root/pictures/"
mount -t proc proc "$root/proc"
in_root() { chroot "$root" env -i PATH=/usr/bin:/bin HOME=/root "$@"; }
# Installing must keep a user's models and runtime in the same folder; and the installed files must be world-readable.
mkdir -p "$root/home/.local/share/apus/models"
touch "$root/home/.local/share/apus/models/own.onnx"
for _ in 1 2; do (umask 077 && make --no-print-directory install PREFIX="$root/home/.local" >/dev/null); done
[ -e "$root/home/.local/share/apus/models/own.onnx" ]
[ -z "$(find "$root/home/.local/bin" "$root/home/.local/lib" ! -perm -a=r)" ]
if in_root sh -c 'command -v swift || command -v python3'; then
    echo "test-dist: this Debian is not minimal" >&2
    exit 1
fi
in_root /opt/apus/bin/apus detect /pictures/farm.jpg --output /pictures/boxes.png | sed -n '1,5p'
in_root /opt/apus/bin/apus doctor --device cpu | tail -1
in_root /opt/apus/bin/apus verify --device cpu --precision f32 | tail -1
# Not with the function, whose shell would receive the signal instead.
chroot "$root" env -i PATH=/usr/bin:/bin HOME=/root /opt/apus/bin/apus serve --port 38123 2>"$root/serve.log" &
server=$!
for _ in $(seq 6000); do # ten minutes, which only a hang reaches
    if grep -q 'model ready' "$root/serve.log"; then break; fi
    sleep 0.1
done
curl -sSf -F file=@Examples/pictures/farm.jpg http://127.0.0.1:38123/predict | grep -o '"category":"sheep"'
kill -TERM "$server"
wait "$server"
cp "$root/pictures/boxes.png" dist/boxes.png
echo "test-dist: detect, doctor, verify and serve work in a Debian without Swift, Python, cairo or fonts (see dist/boxes.png)"
