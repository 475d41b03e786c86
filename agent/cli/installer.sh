#!/bin/sh
# Installs norouter @VERSION@ into $HOME/bin on this machine. "norouter show-installer" prints this script.
#
#   NOROUTER_INSTALL_BASE   the URL of the release's files, instead of github.com

# All commands are in functions, and the last line starts the first one, so a script that was cut off does nothing.
install_norouter() {
	set -eu
	version='@VERSION@'
	base=${NOROUTER_INSTALL_BASE:-https://github.com/norouter/norouter/releases/download/v$version}
	folder=$HOME/bin

	# The files of a release are named after the output of uname. Some systems have another word for the same machine.
	system=$(uname -s)
	machine=$(uname -m)
	case $system in
	Linux | Darwin | FreeBSD | NetBSD | OpenBSD | DragonFly) ;;
	*) fail "there is no release for $system that this script can install; see https://github.com/norouter/norouter/releases" ;;
	esac
	case $system/$machine in
	Linux/amd64) machine=x86_64 ;;
	Linux/arm64) machine=aarch64 ;;
	Linux/armv8l) machine=armv7l ;;
	Darwin/aarch64) machine=arm64 ;;
	esac
	file=norouter-$system-$machine.tgz

	mkdir -p "$folder"
	work=$(mktemp -d "$folder/.norouter.XXXXXX") || fail "cannot write to $folder"
	trap 'rm -rf "$work"' EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM

	download "$base/SHA256SUMS" "$work/SHA256SUMS" || fail "cannot download $base/SHA256SUMS"
	download "$base/$file" "$work/$file" || fail "cannot download $base/$file; is there a release $version for $system on $machine?"

	wanted=$(awk -v file="$file" '$2 == file || $2 == "*" file { print $1; exit }' "$work/SHA256SUMS")
	[ -n "$wanted" ] || fail "SHA256SUMS does not mention $file"
	actual=$(sha256 "$work/$file") || fail "there is no sha256sum, shasum, sha256 or openssl here to check the download with"
	[ "$wanted" = "$actual" ] || fail "the SHA-256 of $file is $actual, but it must be $wanted; nothing was installed"

	tar -xzf "$work/$file" -C "$work" norouter || fail "$file holds no norouter"
	chmod 755 "$work/norouter"
	"$work/norouter" --version >/dev/null || fail "the downloaded norouter does not run on this machine; nothing was installed"
	mv -f "$work/norouter" "$folder/norouter"
	echo "Installed $folder/norouter (version $version)"

	case :$PATH: in
	*:"$folder":*) ;;
	*) echo "Note: $folder is not in PATH here; use \"~/bin/norouter\" in cmd" ;;
	esac
}

fail() {
	echo "error: $*" >&2
	exit 1
}

# Copies the URL $1 into the file $2.
download() {
	if command -v curl >/dev/null 2>&1; then
		curl -fsSL --retry 2 -o "$2" "$1"
	elif command -v wget >/dev/null 2>&1; then
		wget -q -O "$2" "$1"
	elif command -v fetch >/dev/null 2>&1; then
		fetch -q -o "$2" "$1"
	elif command -v ftp >/dev/null 2>&1; then
		ftp -V -o "$2" "$1"
	else
		fail "there is no curl, wget, fetch or ftp here to download with"
	fi
}

# Prints the SHA-256 of the file $1 in hexadecimal.
sha256() {
	if command -v sha256sum >/dev/null 2>&1; then
		sha256sum "$1" | cut -d ' ' -f 1
	elif command -v shasum >/dev/null 2>&1; then
		shasum -a 256 "$1" | cut -d ' ' -f 1
	elif command -v sha256 >/dev/null 2>&1; then
		sha256 -q "$1"
	elif command -v openssl >/dev/null 2>&1; then
		openssl dgst -sha256 -r "$1" | cut -d ' ' -f 1
	else
		return 1
	fi
}

install_norouter
