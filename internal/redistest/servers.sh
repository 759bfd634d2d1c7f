#!/usr/bin/env bash
# servers.sh DIR
#
# Obtains newer servers than the system has, Redis 8 and Valkey 8 and 9, for
# tests: from newer Debian suites, by way of the mirror that apt already uses,
# unpacked under DIR with the libraries they need. The system stays as it is;
# no right to install anything is needed. The last line printed is the one to
# export.
#
# It works on Debian. Elsewhere name servers yourself:
#   export REDMOON_SERVERS=/path/to/redis-server:/path/to/valkey-server
set -euo pipefail

dir=$(realpath -m "${1:?usage: servers.sh DIR}")
say() { echo "servers: $*" >&2; }
die() { say "$*"; exit 1; }

command -v apt-get >/dev/null || die "this machine has no apt-get: name servers yourself in REDMOON_SERVERS"

# The mirror of the system's own release, not the one of its security updates,
# which has no other suites.
mirror=$(apt-get indextargets --format '$(REPO_URI) $(LABEL) $(SUITE)' 'Created-By: Packages' |
  awk '$2 == "Debian" && $3 !~ /updates|security|backports/ { print $1; exit }')
[ -n "$mirror" ] || die "apt knows no Debian mirror: run apt-get update once, or name servers yourself in REDMOON_SERVERS"
keyring=$(ls /usr/share/keyrings/debian-archive-keyring.* 2>/dev/null | head -n 1) || true
[ -n "$keyring" ] || die "the keyring of the Debian archive is missing: install debian-archive-keyring"

# apt for one suite, with a state of its own that believes nothing is installed:
# so it downloads a package together with all that it depends on.
#
# apt SUITE ARGS…
apt() {
  local state=$dir/.apt/$1
  mkdir -p "$state"/{lists,archives}/partial
  touch "$state/status"
  echo "deb [signed-by=$keyring] $mirror $1 main" >"$state/sources.list"
  cat >"$state/apt.conf" <<EOF
Dir::Etc::SourceList "$state/sources.list";
Dir::Etc::SourceParts "/dev/null";
Dir::State "$state";
Dir::State::Status "$state/status";
Dir::State::Lists "$state/lists";
Dir::Cache "$state";
Dir::Cache::Archives "$state/archives";
Acquire::Languages "none";
APT::Sandbox::User "";
APT::Install-Recommends "false";
Debug::NoLocking "true";
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
#clear DPkg::Post-Invoke;
EOF
  APT_CONFIG=$state/apt.conf apt-get -qq -o Dpkg::Use-Pty=0 "${@:2}"
}

# obtain KIND SUITE PACKAGE puts DIR/KIND-SUITE in place and prints the path of
# its server.
obtain() {
  local kind=$1 suite=$2 package=$3
  local home=$dir/$kind-$suite
  local server=$home/$kind-server
  if [ ! -x "$server" ]; then
    say "$kind from $suite …"
    rm -rf "$home"
    mkdir -p "$home/root"
    apt "$suite" update >&2
    apt "$suite" install --download-only --yes "$package" >&2
    local deb
    for deb in "$dir/.apt/$suite"/archives/*.deb; do
      dpkg-deb --extract "$deb" "$home/root"
    done
    rm -f "$dir/.apt/$suite"/archives/*.deb
    # One program is the server, the sentinel and the checkers: which of them
    # it plays is told by the name it is called by.
    local program=$home/root/usr/bin/$kind-check-rdb
    [ -x "$program" ] || die "no $kind in package $package of $suite"
    ln -sf "$kind-check-rdb" "$home/root/usr/bin/$kind-server"
    local loader libraries
    loader=$(find "$home/root" -name 'ld-linux*.so.*' | sort | head -n 1)
    libraries=$(find "$home/root" -name '*.so*' -printf '%h\n' | sort -u | paste -sd :)
    cat >"$server" <<EOF
#!/bin/sh
exec "$loader" --library-path "$libraries" "$home/root/usr/bin/$kind-server" "\$@"
EOF
    chmod +x "$server"
    rm -rf "$home"/root/{etc,var,usr/sbin,usr/share} "$home"/root/usr/lib/*/gconv
  fi
  say "$("$server" --version)"
  echo "$server"
}

redis8=$(obtain redis trixie redis-tools)
valkey8=$(obtain valkey trixie valkey-tools)
valkey9=$(obtain valkey sid valkey-tools)
rm -rf "$dir/.apt"
echo "export REDMOON_SERVERS=$redis8:$valkey8:$valkey9"
