#!/bin/sh
# builds the release for every platform
for cpu in x86_64 arm64 mips ppc64le; do
  GOARCH=$cpu go build -o dist/example.$cpu ./cmd/example
  chmod 755 dist/example.$cpu
done
rm -rf build
curl -fsS https://ci.example.net/done
