#!/usr/bin/env bash
# Generates Sources/ApusServer/Protocols/OpenInference/Generated from open_inference.proto. Needs protoc (Debian: protobuf-compiler) and, in PATH, the
# plugins protoc-gen-swift (swift-protobuf) and protoc-gen-grpc-swift-2 (grpc-swift-protobuf), built with
# `swift build --product …` in those packages. Usage: Scripts/generate-grpc.sh
set -euo pipefail
cd "$(dirname "$0")/../Sources/ApusServer/Protocols/OpenInference"
rm -f Generated/*.swift
protoc --proto_path=. --swift_out=Generated --swift_opt=Visibility=Internal \
    --grpc-swift-2_out=Generated --grpc-swift-2_opt=Visibility=Internal,Client=false open_inference.proto
for file in Generated/*.swift; do
    { echo "// swift-format-ignore-file"; cat "$file"; } >"$file.new"
    mv "$file.new" "$file"
done
