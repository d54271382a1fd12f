// Verifies one signed file as sigstore-js does it: `verify_one.cjs TRUSTED_ROOT BUNDLE ARTIFACT IDENTITY ISSUER`.
const { readFileSync } = require('node:fs')

const { bundleFromJSON } = require('@sigstore/bundle')
const { TrustedRoot } = require('@sigstore/protobuf-specs')
const { Verifier, toSignedEntity, toTrustMaterial } = require('@sigstore/verify')

const [root, bundle, artifact, subjectAlternativeName, issuer] = process.argv.slice(2)
const json = (file) => JSON.parse(readFileSync(file, 'utf8'))
const entity = toSignedEntity(bundleFromJSON(json(bundle)), readFileSync(artifact))
new Verifier(toTrustMaterial(TrustedRoot.fromJSON(json(root)))).verify(entity, { subjectAlternativeName, extensions: { issuer } })
