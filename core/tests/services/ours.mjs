// The Node binding as a client like any other, for the tests of the services.
//
//   ours.mjs sign blob|statement OF BUNDLE < {"trustedRoot", "signingConfig", "token" or "environment"}
//   ours.mjs seal REFERENCE OF BUNDLE < {"access"}    signs a file with a key that is elsewhere
//   ours.mjs attach IMAGE BUNDLE
//   ours.mjs list IMAGE BUNDLE                       writes the only bundle of an image
//   ours.mjs verify blob|statement BUNDLE FILE SUBJECT ISSUER TRUSTED_ROOT
//
// Ends with 0, or says the code of the error and ends with 1.
import fs from 'node:fs'

import sealwright from '../../../bindings/node/index.js'

const { Signer, Statement, TrustRoot, Verifier, keyless, oci } = sealwright

async function sign(kind, of, bundle) {
  const given = JSON.parse(fs.readFileSync(0, 'utf8'))
  const trust = new TrustRoot().withSigstore(fs.readFileSync(given.trustedRoot))
  const services = keyless.Services.fromSigningConfig(fs.readFileSync(given.signingConfig))
  const token = given.token
    ? keyless.Token.parse(given.token)
    : await keyless.Token.ambient(services.audience, given.environment)
  const made = kind === 'blob'
    ? await keyless.signBlob(await sealwright.digestFile(of), services, token, trust)
    : await keyless.signStatement(Statement.parse(fs.readFileSync(of)), services, token, trust)
  fs.writeFileSync(bundle, made)
}

async function seal(reference, of, bundle) {
  const { access } = JSON.parse(fs.readFileSync(0, 'utf8'))
  const signer = await Signer.open(reference, { timeLimitMillis: 30_000, ...access })
  fs.writeFileSync(bundle, await sealwright.signBlob({ path: of }, signer))
}

async function attach(image, bundle) {
  await new oci.Registry().attach(image, fs.readFileSync(bundle))
}

async function list(image, bundle) {
  const { found, unreadable } = await new oci.Registry().bundles(image)
  if (found.length !== 1 || unreadable.length) throw new Error(`${found.length} bundles`)
  fs.writeFileSync(bundle, found[0].bundle)
}

async function verify(kind, bundle, file, subject, issuer, trustedRoot) {
  const verifier = new Verifier(new TrustRoot().withSigstore(fs.readFileSync(trustedRoot)))
  const demanded = { identity: { subject, issuer }, logEntries: 1, timestamps: 1 }
  const made = fs.readFileSync(bundle)
  if (kind === 'blob') await verifier.verifyBlob(made, { path: file }, demanded)
  else await verifier.verify(made, { artifact: await sealwright.digestFile(file), ...demanded })
}

const [command, ...rest] = process.argv.slice(2)
try {
  await { sign, seal, attach, list, verify }[command](...rest)
} catch (error) {
  if (!error.code) throw error
  console.log(error.code)
  process.exit(1)
}
