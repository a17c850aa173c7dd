#!/bin/sh
# Builds the real control plane from Go modules into a cache folder outside the repository and says where it is.
#
#   build.sh          build what is missing; quick and quiet when everything is there
#   build.sh --where  only say where it is or would be, with exit code 1 when it is not there; needs no Go
#
# The folder's name is the hash of everything that decides what comes out: go.mod, go.sum and this script with its flags.
set -eu
cd "$(dirname "$0")"
. ./versions.env

STAMP=k8s.io/component-base/version
# Without the stamp the server calls itself v0.0.0 and clients choke on it.
LDFLAGS="-s -w -X $STAMP.gitVersion=v$KUBERNETES -X $STAMP.gitMajor=${KUBERNETES%%.*}"
LDFLAGS="$LDFLAGS -X $STAMP.gitMinor=$(echo "$KUBERNETES" | cut -d. -f2)"
COMMANDS="kube-apiserver kube-controller-manager kube-scheduler kubectl"
PROGRAMS="etcd $COMMANDS"

where() {
  key=$({ uname -sm; cat go.mod go.sum build.sh versions.env; } | sha256sum | cut -c1-16)
  echo "${XDG_CACHE_HOME:-$HOME/.cache}/steersman-controlplane/$key"
}

complete() {
  for program in $PROGRAMS; do test -x "$1/$program" || return 1; done
}

# Kubernetes requires its own staging modules at v0.0.0, so whoever requires it names every one of them again.
write_module() {
  echo "controlplane: writing go.mod for Kubernetes $KUBERNETES and etcd $ETCD" >&2
  fresh=$(mktemp -d)
  trap 'rm -rf "$fresh"' EXIT
  theirs=$(cd "$fresh" && go mod download -json "k8s.io/kubernetes@v$KUBERNETES" | sed -n 's/.*"GoMod": "\(.*\)".*/\1/p')
  {
    printf 'module steersman.invalid/controlplane\n\ngo %s\n\n' "$(awk '$1 == "go" {print $2}' "$theirs")"
    printf 'require (\n\tgo.etcd.io/etcd/server/v3 v%s\n\tk8s.io/kubernetes v%s\n)\n\n' "$ETCD" "$KUBERNETES"
    printf 'tool (\n\tgo.etcd.io/etcd/server/v3\n'
    for command in $COMMANDS; do printf '\tk8s.io/kubernetes/cmd/%s\n' "$command"; done
    printf ')\n\nreplace (\n'
    awk -v version="v0.${KUBERNETES#*.}" '$1 ~ /^k8s\.io\// && $2 == "v0.0.0" {printf "\t%s => %s %s\n", $1, $1, version}' "$theirs"
    printf ')\n'
  } >"$fresh/go.mod"
  (cd "$fresh" && go mod tidy >&2)
  mv "$fresh/go.mod" "$fresh/go.sum" .
}

if [ "${1:-}" = --where ]; then
  where
  complete "$(where)"
  exit
fi
if complete "$(where)"; then
  where
  exit
fi
command -v go >/dev/null || { echo "controlplane: Go is needed to build the real control plane (https://go.dev/dl)." >&2; exit 1; }
grep -qsF "k8s.io/kubernetes v$KUBERNETES" go.mod && grep -qsF "go.etcd.io/etcd/server/v3 v$ETCD" go.mod || write_module

folder=$(where)
echo "controlplane: building Kubernetes $KUBERNETES and etcd $ETCD into $folder (once; about seven minutes on two cores)" >&2
mkdir -p "$(dirname "$folder")"
unfinished=$(mktemp -d "$folder.XXXXXX")
trap 'rm -rf "$unfinished"' EXIT
# The environment's flags must not change what is built; polite, because tests may be running beside it.
GOFLAGS='' GOWORK=off CGO_ENABLED=0 nice -n 19 go build -mod=readonly -trimpath -buildvcs=false -ldflags "$LDFLAGS" -o "$unfinished/" tool >&2
mv "$unfinished/server" "$unfinished/etcd"
# Two builds at once make the same thing: the first one stays.
mv -T "$unfinished" "$folder" 2>/dev/null || complete "$folder"
echo "$folder"
