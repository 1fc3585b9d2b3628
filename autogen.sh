#!/bin/sh
# Make configure and the Makefile templates from a checkout.
set -eu
cd "$(dirname "$0")"
for tool in autoreconf automake pkg-config; do
	command -v "$tool" >/dev/null || {
		echo "autogen.sh: $tool is missing (Debian: apt install autoconf automake pkg-config)" >&2
		exit 1
	}
done
mkdir -p build-aux m4
autoreconf --install --force --warnings=all,no-portability
