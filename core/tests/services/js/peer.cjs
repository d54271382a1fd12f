// sigstore-js as a peer. `node_modules` is found by NODE_PATH.
//
//   peer.cjs verify TRUSTED_ROOT BUNDLE FILE SUBJECT ISSUER
//   peer.cjs sign blob|statement BUNDLE FILE < {"fulcio", "rekor", "tsa", "token"}
'use strict';

const crypto = require('node:crypto');
const fs = require('node:fs');
const { bundleFromJSON, bundleToJSON } = require('@sigstore/bundle');
const { TrustedRoot } = require('@sigstore/protobuf-specs');
const sign = require('@sigstore/sign');
const { Verifier, toSignedEntity, toTrustMaterial } = require('@sigstore/verify');

function verify(rootFile, bundleFile, file, subject, issuer) {
  const root = toTrustMaterial(TrustedRoot.fromJSON(JSON.parse(fs.readFileSync(rootFile))));
  const bundle = bundleFromJSON(JSON.parse(fs.readFileSync(bundleFile)));
  const artifact = fs.readFileSync(file);
  const exactly = `^${subject.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}$`;
  const policy = { subjectAlternativeName: exactly, extensions: { issuer } };
  const thresholds = { ctlogThreshold: 1, tlogThreshold: 1, timestampThreshold: 1 };
  new Verifier(root, thresholds).verify(toSignedEntity(bundle, artifact), policy);
  if (bundle.content.$case === 'dsseEnvelope') {
    // what an attestation is about is left to its caller by sigstore-js
    const sha256 = crypto.createHash('sha256').update(artifact).digest('hex');
    const statement = JSON.parse(bundle.content.dsseEnvelope.payload);
    if (!statement.subject.some((one) => one.digest.sha256 === sha256)) {
      throw new Error(`no subject has the digest ${sha256}`);
    }
  }
}

async function signed(kind, bundleFile, file) {
  const services = JSON.parse(fs.readFileSync(0));
  const options = {
    signer: new sign.FulcioSigner({
      fulcioBaseURL: services.fulcio,
      identityProvider: { getToken: async () => services.token },
    }),
    witnesses: [
      new sign.RekorWitness({ rekorBaseURL: services.rekor, majorApiVersion: 2 }),
      new sign.TSAWitness({ tsaBaseURL: services.tsa }),
    ],
  };
  const data = fs.readFileSync(file);
  const bundle = await (kind === 'blob'
    ? new sign.MessageSignatureBundleBuilder(options).create({ data })
    : new sign.DSSEBundleBuilder(options).create({ data, type: 'application/vnd.in-toto+json' }));
  fs.writeFileSync(bundleFile, JSON.stringify(bundleToJSON(bundle)));
}

const [command, ...rest] = process.argv.slice(2);
Promise.resolve()
  .then(() => (command === 'verify' ? verify(...rest) : signed(...rest)))
  .catch((error) => {
    console.error(`${error.code ?? ''} ${error.message} ${error.cause?.message ?? ''}`);
    process.exit(1);
  });
