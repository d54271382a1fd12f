#!/usr/bin/env bash
# verify.sh SIGNERS LOG.pub [MIN_CHECKPOINT]   run in the pack's folder
# All three come from you, not from the pack; so should this script. Exit 0 verified, 1 refused, 2 could not be checked.
# SIGNERS, one signer a line (fields by blanks, # comments), `pack` marks who may sign a manifest:
#   key  KEYID            TYPE PUBLIC.pem [pack]     TYPE: p256, p384, ed25519, rsa
#   cert IDENTITY ISSUER  TYPE CA.pem     [pack]     ISSUER: OIDC issuer of a Fulcio certificate, or -
# Paths in it are relative to the folder of SIGNERS, so that none of them leads into the pack by chance.
# LOG.pub: the key of the ledger. If it was replaced, any of its keys: rotations/ in the pack, signed by old and new key
# each, leads to the others. Take the newest you know: whoever stole an old one can sign rotations of their own.
# MIN_CHECKPOINT: the newest checkpoint you have seen of this ledger.
set -euo pipefail
export LC_ALL=C
refuse() { echo "refused: $*" >&2; exit 1; }
cannot() { echo "cannot check: $*" >&2; exit 2; }
[ $# -ge 2 ] && [ $# -le 3 ] || cannot "usage: verify.sh SIGNERS LOG.pub [MIN_CHECKPOINT]"
for c in jq openssl xxd awk sha256sum base64 find; do command -v $c >/dev/null || cannot "$c is not installed"; done
for f in "$@"; do [ -f "$f" ] && [ -r "$f" ] || cannot "no file $f"; done
log=$2 min=${3:-} t=$(mktemp -d); trap 'rm -rf "$t"' EXIT
signers=$t/signers; while read -r kind a b c d e || [ -n "$kind" ]; do # each line made plain, each file there
  case $kind in
    ''|'#'*) continue ;;
    key) f=$c ;;
    cert) f=$d ;;
    *) cannot "SIGNERS line starts with $kind" ;;
  esac
  case $f in /*) ;; *) f=$(dirname "$1")/$f ;; esac
  [ -f "$f" ] && [ -r "$f" ] || cannot "no file $f, which SIGNERS names"
  if [ "$kind" = key ]; then printf 'key\t%s\t%s\t%s\t%s\n' "$a" "$b" "$f" "$d"
  else printf 'cert\t%s\t%s\t%s\t%s\t%s\n' "$a" "$b" "$c" "$f" "$e"; fi
done < "$1" > $signers
sha() { sha256sum "$1" | cut -c1-64; }
hex() { base64 -d 2>/dev/null | xxd -p -c 256; }

sigcheck() { # TYPE PUBLIC.pem SIGNATURE MESSAGE: the key must be of the type named, each type has its own call
  local text; text=$(openssl pkey -pubin -in "$2" -noout -text 2>/dev/null) || return 1
  case $1 in
    p256) [[ $text == *prime256v1* ]] && openssl dgst -sha256 -verify "$2" -signature "$3" "$4" >/dev/null 2>&1 ;;
    p384) [[ $text == *secp384r1* ]] && openssl dgst -sha384 -verify "$2" -signature "$3" "$4" >/dev/null 2>&1 ;;
    rsa) [[ $text == *Modulus:* ]] && { openssl dgst -sha256 -verify "$2" -signature "$3" "$4" >/dev/null 2>&1 ||
      openssl dgst -sha256 -sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:32 -verify "$2" -signature "$3" "$4" >/dev/null 2>&1; } ;;
    ed25519) [[ $text == *ED25519* ]] && openssl pkeyutl -verify -pubin -inkey "$2" -rawin -in "$4" -sigfile "$3" >/dev/null 2>&1 ;;
    *) return 1 ;;
  esac; }

dsse() { # FILE USE TIME: leaves the payload in $t/p if a listed signer signed it; TIME (Unix s) is for certificates
  jq -ce '.dsseEnvelope // . | select(.payloadType == "application/vnd.in-toto+json" and (.signatures|length > 0))' "$1" > $t/env 2>/dev/null || refuse "no DSSE envelope with an in-toto statement in $1"
  jq -r .payload $t/env | base64 -d > $t/p 2>/dev/null || refuse "payload of $1 is not base64"
  local ty; ty=$(jq -r .payloadType $t/env)
  { printf 'DSSEv1 %d %s %d ' "${#ty}" "$ty" "$(wc -c < $t/p)"; cat $t/p; } > $t/pae
  local hint kid sig kind a b c d e x
  hint=$(jq -r '.verificationMaterial.publicKey.hint // ""' "$1")
  jq -r '.verificationMaterial | (.certificate // .x509CertificateChain.certificates[0]? // {}) | .rawBytes // ""' "$1" | base64 -d > $t/der 2>/dev/null || refuse "bad certificate in $1"
  while IFS=$'\t' read -r kid sig; do
    kid=${kid#=}; printf %s "$sig" | base64 -d > $t/s 2>/dev/null || continue
    while IFS=$'\t' read -r kind a b c d e; do
      case $kind in
        key) [ "$2" = pack ] && [ "$d" != pack ] && continue
          [ ! -s $t/der ] && { [ "$a" = "$kid" ] || [ "$a" = "$hint" ]; } || continue
          sigcheck "$b" "$c" $t/s $t/pae && return 0 ;;
        cert) [ "$2" = pack ] && [ "$e" != pack ] && continue
          [ -s $t/der ] && openssl x509 -inform DER -in $t/der -out $t/crt 2>/dev/null || continue
          openssl verify -x509_strict -purpose any -attime "$3" -CAfile "$d" $t/crt >/dev/null 2>&1 || continue
          # one name and no other: two names, or a line break or comma within one, would be read as another name
          x=$(openssl x509 -in $t/crt -noout -ext subjectAltName 2>/dev/null | sed '1d;s/^ *//'; echo .)
          [ "$x" = "URI:$a"$'\n.' ] || [ "$x" = "email:$a"$'\n.' ] || continue
          x=$(openssl x509 -in $t/crt -noout -text | grep -A1 '1\.3\.6\.1\.4\.1\.57264\.1\.1:'; echo .)
          [ "$b" = - ] || [ "$(sed '1d;s/^ *//' <<< "$x")" = "$b"$'\n.' ] || continue
          openssl x509 -in $t/crt -pubkey -noout > $t/crtpub && sigcheck "$c" $t/crtpub $t/s $t/pae && return 0 ;;
      esac
    done < "$signers"
  done < <(jq -r '.signatures[] | "=\(.keyid // "")\t\(.sig)"' $t/env)
  refuse "no valid signature by a listed signer: $1"; }

size() { local n; n=$(sed -n ${2:-2}p "$1"); [[ $n =~ ^(0|[1-9][0-9]{0,17})$ ]] || refuse "bad checkpoint size"; echo "$n"; }
signed() { # NOTE NAME KEY.pem: whether the key signed the text in $t/body under this name
  local line
  while read -r line; do printf %s "$line" | base64 -d 2>/dev/null | tail -c +5 > $t/s
    sigcheck ed25519 "$3" $t/s $t/body && return 0
  done < <(awk -v n="$2" 'p && $1=="\342\200\224" && $2==n {print $3} /^$/{p=1}' "$1")
  return 1; }
pem() { # VKEY FILE: the Ed25519 key of a C2SP verifier key
  local h; h=$(printf %s "${1#*+*+}" | hex); [[ $h =~ ^01[0-9a-f]{64}$ ]] || refuse "no ledger key: $1"
  { echo '-----BEGIN PUBLIC KEY-----'; printf '302a300506032b6570032100%s' "${h:2}" | xxd -r -p | base64; echo '-----END PUBLIC KEY-----'; } > "$2"; }
der() { openssl pkey -pubin -in "$1" -outform DER 2>/dev/null | sha256sum; }
keys() { # leaves FROM UNTIL KEY.pem in $t/keys: which key signs which sizes; LOG.pub must be one of them
  local most=999999999999999999 o k=0 from=0 f known= i; o=$(head -1 checkpoint); : > $t/keys; : > $t/bounds
  while f=rotations/$((k+1)); [ -f $f ] && [ ! -L $f ]; do k=$((k+1))
    awk '/^$/{exit}{print}' $f > $t/body; local -a l; mapfile -t l < $t/body
    [ ${#l[@]} -eq 6 ] && [ "${l[0]}" = sealwright-log-rotation/v1 ] && [ "${l[1]}" = "$o" ] || refuse "no rotation of the key of this ledger: $f"
    [ $k -gt 1 ] || pem "${l[4]}" $t/key0
    pem "${l[4]}" $t/old; cmp -s $t/old $t/key$((k-1)) || refuse "$f does not replace the key before it"
    pem "${l[5]}" $t/key$k; signed $f "$o" $t/key$((k-1)) && signed $f "$o" $t/key$k || refuse "$f is not signed by both keys"
    i=$(size $t/body 3); [ "$i" -ge $from ] || refuse "$f is of a smaller size than the one before it"
    echo "$from $i $t/key$((k-1))" >> $t/keys; echo "$i ${l[3]}" >> $t/bounds; from=$i; done
  if [ $k -eq 0 ]; then echo "0 $most $log" > $t/keys; return; fi
  echo "$from $most $t/key$k" >> $t/keys
  for i in $(seq 0 $k); do if [ "$(der $t/key$i)" = "$(der "$log")" ]; then known=1; fi; done
  [ -n "$known" ] || refuse "LOG.pub is none of the keys that the rotations name"; }
note() { # FILE: leaves the body of the checkpoint in $t/body if the ledger key of its size signed it
  awk '/^$/{exit}{print}' "$1" > $t/body; local n from until key; n=$(size $t/body)
  while read -r from until key; do
    if [ "$n" -ge "$from" ] && [ "$n" -le "$until" ] && signed "$1" "$(head -1 $t/body)" "$key"; then
      while read -r from until; do [ "$from" -ne "$n" ] || [ "$until" = "$(sed -n 3p $t/body)" ] || refuse "two roots at size $n: the ledger forked"; done < $t/bounds
      return 0; fi
  done < $t/keys
  refuse "checkpoint is not signed by the ledger key: $1"; }

included() { # ENTRY PROOF INDEX
  [ "$(head -1 "$2")" = c2sp.org/tlog-proof@v1 ] || refuse "not a tlog-proof: $2"
  awk 'f{print} /^$/{f=1}' "$2" | awk '/^$/{exit}{print}' | cmp -s - $t/head || refuse "another checkpoint in $2"
  awk '/^$/{exit} NR>1 && !/^(index|extra) /{print}' "$2" > $t/path
  local i n h s p; i=$(sed -n '/^$/q;s/^index //p' "$2"); [ "$i" = "$3" ] || refuse "proof for another index: $2"
  n=$(( $(size $t/head) - 1 )); [ "$i" -le "$n" ] || refuse "index beyond the checkpoint: $2"
  h=$( { printf '\0'; cat "$1"; } | sha256sum | cut -c1-64 )
  while read -r p; do s=$(printf %s "$p" | hex); [ $n -gt 0 ] && [ ${#s} -eq 64 ] || refuse "bad proof: $2"
    if (( i & 1 || i == n )); then h=$(printf '01%s%s' $s $h | xxd -r -p | sha256sum | cut -c1-64)
      while (( !(i & 1) && i > 0 )); do i=$((i>>1)); n=$((n>>1)); done
    else h=$(printf '01%s%s' $h $s | xxd -r -p | sha256sum | cut -c1-64); fi
    i=$((i>>1)); n=$((n>>1)); done < $t/path
  [ $n -eq 0 ] && [ "$h" = "$(sed -n 3p $t/head | hex)" ] || refuse "not in the ledger: $1"; }

for f in checkpoint manifest.json manifest.sigstore.json; do [ -f $f ] && [ ! -L $f ] || refuse "missing: $f"; done
# 1. checkpoint: signed by the ledger, and no older than what you have seen
keys; note checkpoint; cp $t/body $t/head; n=$(size $t/head)
if [ -n "$min" ]; then note "$min"
  [ "$(head -1 $t/body)" = "$(head -1 $t/head)" ] || refuse "MIN_CHECKPOINT is of another ledger"
  m=$(size $t/body); [ "$n" -ge "$m" ] || refuse "checkpoint of size $n, you have seen $m"
  [ "$n" -gt "$m" ] || cmp -s $t/body $t/head || refuse "two checkpoints of size $n: the ledger forked"
fi
# 2. manifest: signed by a pack signer, over these bytes and this checkpoint
jq -e '.files|length > 0' manifest.json >/dev/null || refuse "no manifest"
dsse manifest.sigstore.json pack "$(jq -r '.generatedAt | sub("\\.[0-9]+";"") | fromdate' manifest.json)"
jq -e --arg h "$(sha manifest.json)" --argjson n "$n" --arg r "$(sed -n 3p $t/head)" --arg o "$(head -1 $t/head)" \
  '.predicateType == "https://sealwright.dev/attestation/evidence-pack/v0.1" and .subject[0].digest.sha256 == $h and .predicate.ledger == {origin:$o, size:$n, rootHash:$r}' $t/p >/dev/null \
  || refuse "manifest changed, or signed for another checkpoint"
# 3. files: exactly those listed, no links, nothing outside
jq -e '[.files[].path] | all(test("^[A-Za-z0-9_][A-Za-z0-9._+@-]*(/[A-Za-z0-9_][A-Za-z0-9._+@-]*)*$")) and (length == (unique|length))' manifest.json >/dev/null || refuse "bad or double path in the manifest"
[ -z "$(find . -name '*[!A-Za-z0-9._+@-]*')" ] || refuse "a file name with other characters than A-Z a-z 0-9 . _ + @ -"
[ -z "$(find . ! -type d ! -type f)" ] || refuse "links or special files: $(find . ! -type d ! -type f | head -1)"
jq -r '.files[].path' manifest.json | sort > $t/listed
find . -type f | sed 's|^\./||' | grep -vxE 'manifest\.(json|sigstore\.json|tsr)' | sort > $t/found
x=$(comm -13 $t/listed $t/found | head -1); [ -z "$x" ] || refuse "not listed: $x"
x=$(comm -23 $t/listed $t/found | head -1); [ -z "$x" ] || refuse "missing: $x"
jq -r '.files[] | "\(.sha256)  \(.path)"' manifest.json | sha256sum --quiet --strict -c - >&2 || refuse "a file differs from the manifest"
# 4. entries and records: entry in the ledger, record the one it commits to, signature good
jq -r '.files[] | select(.role=="record") | [.ledgerIndex, .path, .salt, .payloadSha256] | @tsv' manifest.json > $t/records
k=0; while IFS=$'\t' read -r i path salt pay; do k=$((k+1))
  id=$(printf %06d "$i"); case $path in records/$id.sigstore.json|records/$id.dsse.json) ;; *) refuse "record $path listed for index $i" ;; esac
  grep -qxF entries/$id.json $t/listed || refuse "no entry for $path"
  printf %s "$salt" | base64 -d > $t/salt 2>/dev/null || refuse "bad salt for $path"; [ "$(wc -c < $t/salt)" -eq 32 ] || refuse "salt of $path is not 32 bytes"
  h=$(cat $t/salt "$path" | sha256sum | cut -c1-64)
  jq -e --arg h "$h" --argjson s "$(wc -c < "$path")" '.v == "sealwright-entry/v1" and .record == $h and .size == $s' entries/$id.json >/dev/null || refuse "entry $i does not commit to $path"
  dsse "$path" record "$(jq -r '.time/1000|floor' entries/$id.json)"
  [ "$(sha $t/p)" = "$pay" ] || refuse "payload of $path is not the one listed"
done < $t/records
[ "$k" -eq "$(grep -c '^records/' $t/listed || true)" ] || refuse "a file under records/ has no record line in the manifest"
e=0 last=0; for f in $(grep -E '^entries/' $t/listed | awk -F'[/.]' '{printf "%d %s\n",$2,$0}' | sort -n | cut -d' ' -f2); do e=$((e+1))
  id=${f#entries/}; id=${id%.json}; i=$((10#$id)); [ "$f" = entries/$(printf %06d $i).json ] || refuse "bad name $f"
  grep -qxF proofs/$id.tlog-proof $t/listed || refuse "no proof for $f"; [ "$(wc -c < $f)" -le 1024 ] || refuse "entry over 1 KiB: $f"
  included $f proofs/$id.tlog-proof $i
  at=$(jq -r .time $f); [ "$at" -ge "$last" ] || refuse "time runs back at $f"; last=$at
done
[ $e -gt 0 ] || refuse "a pack without entries proves nothing"
echo "verified $k records and $((e-k)) bare entries of $(head -1 $t/head) at size $n, root $(sed -n 3p $t/head)"
[ -n "$min" ] || echo "note: no MIN_CHECKPOINT given, so an old state of the ledger would not be noticed" >&2
