#!/bin/sh
# Makes what compose.yaml mounts as secrets, in deploy/secrets: Perch's key, passwords, and a certificate authority of your
# own with certificates for the database and the storage. Never writes over what is there. Keep a copy of perch_key apart:
# without it the data cannot be read.
set -eu
umask 077
folder=$(dirname "$0")/secrets
mkdir -p "$folder"
cd "$folder"

once() { [ -e "$1" ] || { shift; "$@"; }; }
random() { openssl rand -hex "$2" >"$1"; }
once perch_key random perch_key 32
once database_password random database_password 24
once s3_secret random s3_secret 24
once metrics_token random metrics_token 24
once database_url sh -c 'printf "postgres://perch:%s@database/perch?sslrootcert=/run/secrets/perch_ca\n" "$(cat database_password)" >database_url'

authority() {
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 3650 -subj "/CN=Perch, inside" \
    -addext "basicConstraints=critical,CA:TRUE,pathlen:0" -addext "keyUsage=critical,keyCertSign" \
    -keyout authority.key -out perch_ca 2>/dev/null
}
certificate() {
  openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj "/CN=$1" -keyout "$1_tls_key" -out "$1.csr" 2>/dev/null
  printf 'subjectAltName=DNS:%s\nbasicConstraints=critical,CA:FALSE\nextendedKeyUsage=serverAuth\n' "$1" >"$1.ext"
  openssl x509 -req -in "$1.csr" -CA perch_ca -CAkey authority.key -days 825 -extfile "$1.ext" -out "$1_certificate" 2>/dev/null
  rm -f "$1.csr" "$1.ext" perch_ca.srl
}
once perch_ca authority
once database_certificate certificate database
once storage_certificate certificate storage

# Whose each is in its container: 10001 is Perch, 999 PostgreSQL; Versity's gateway runs as root there.
chmod 444 perch_ca database_certificate storage_certificate
if [ "$(id -u)" = 0 ]; then
  chown 10001 perch_key database_url s3_secret metrics_token
  chown 999 database_password database_tls_key
  chmod 400 perch_key database_url s3_secret metrics_token database_password database_tls_key storage_tls_key
else
  echo "Run this as root, so that each file belongs to who reads it in its container." >&2
fi
