/* Data as it crosses: what the library writes and reads as JSON. Generated declarations follow below. */

/** An instant: RFC 3339 in UTC, or a Date. */
export type Time = string | Date

/** Digests of one thing, by algorithm name, in lower-case hex. */
export type DigestSet = Record<string, string>

/** An in-toto ResourceDescriptor: what evidence is about. */
export interface ResourceDescriptor {
  name?: string
  uri?: string
  digest?: DigestSet
  content?: string
  downloadLocation?: string
  mediaType?: string
  annotations?: Record<string, unknown>
}

/** Trusted keys by name: a `PUBLIC KEY` PEM text, or one with its validity. */
export type TrustedKeys = Record<string, string | { key: string; validFrom?: Time; validUntil?: Time }>

/** What one verification demands. */
export interface Expectation {
  /** `sha256:<hex>`, or `any-unsafe` for callers that compare the subjects themselves. */
  artifact: string
  /** A name among the keys, or several of which one does. */
  signer: string | string[]
  predicateType?: string
  /** When it was signed or logged; the present if not said. */
  at?: Time
}

/** A signer whose signature was checked. */
export interface SignedBy {
  name: string
  keyId: string
  keyType: string
}

/** An authenticated signer, as the trust policy knows it. */
export interface Speaker {
  signer: string
  keyId: string
  /** The same each time: a key's id, or SHA-256 over issuer, NUL and subject of a certificate identity. */
  identity: string
  person: string | null
  roles: string[]
}

/** What is known of a ledger from elsewhere. */
export interface Pins {
  /** A C2SP verifier key. */
  logKey?: string
  /** Payload digest of version 1 of the trust policy. */
  trustPolicy?: string
  /** A signed note the ledger must extend. */
  minCheckpoint?: string
}

/** What is shown to a ledger behind an address; all but `token` are paths. */
export interface Access {
  /** An OpenID Connect token. */
  token?: string
  /** A file with one. */
  tokenFile?: string
  /** A client certificate with its chain, PEM. */
  certificate?: string
  /** Its private key, PEM. */
  key?: string
  /** Whom to take for the service, PEM; else the machine's authorities. */
  authorities?: string
}

/** An entry of a ledger: what the tree commits to. */
export interface Entry {
  v: string
  /** Unix milliseconds. */
  time: number
  control: boolean
  type: string
  tags: Record<string, string[]>
  record: string
  size: number
}

/** A receipt as data. */
export interface ReceiptData {
  index: number
  entry: string
  salt: string
  /** A C2SP tlog-proof. */
  proof: string
  alreadyThere: boolean
}

/** What to look for; all that is said must hold. */
export interface Query {
  release?: string
  commit?: string
  digest?: string
  environment?: string
  service?: string
  change?: string
  kind?: string
  predicateType?: string
  since?: Time
  until?: Time
  after?: number
  limit?: number
}

/** What an audit found. */
export interface AuditReport {
  origin: string
  size: number
  root: string
  findings: { kind: string; place: string; message: string }[]
}

/** Where something runs or goes. */
export interface Environment {
  /** A URI. */
  id: string
  class: string
  name?: string
  region?: string
  dataClass?: string
}

/** A person or workload. */
export interface Actor {
  /** A URI. */
  id: string
  kind: string
  displayName?: string
  issuer?: string
  subject?: string
  [more: string]: unknown
}

/** What a gate is asked. */
export interface GateRequest {
  /** `sha256:<hex>` or `name@sha256:<hex>`. */
  artifact: string
  environment: Environment
  releaseId: string
  /** The signer that will deploy it. */
  deployer: string
  changeId?: string
  purl?: string
}

/** What became of one check. */
export interface CheckResult {
  id: string
  result: string
  enforcement: string
  question?: string
  controls?: string[]
  message?: string
  remediation?: string
  [more: string]: unknown
}

/** A deployment that happened. */
export interface Deploy {
  deploymentId: string
  releaseId: string
  environment: Environment
  artifacts: ResourceDescriptor[]
  triggeredBy: Actor
  executedBy: Actor
  startedAt: Time
  finishedAt?: Time
  status: string
  strategy: string
  changeIds?: string[]
  configuration?: ResourceDescriptor[]
  replaces?: DigestSet[]
  resources?: string[]
  earliestCommitAt?: Time
}

/** One thing seen running. */
export interface Observed {
  resource: string
  digest?: DigestSet
  configuration?: DigestSet
  [more: string]: unknown
}

/** Something that is not as it ought to be. */
export interface Finding {
  type: string
  severity: string
  [more: string]: unknown
}

/** A recorded comparison of an environment with what was approved for it. */
export interface Drift {
  report: { findings: Finding[]; [more: string]: unknown }
  recorded: { payload: string; receipt: ReceiptData }
}

/** The chain of custody of a release. */
export interface Custody {
  releaseId: string
  steps: {
    index: number
    loggedAt: string
    act: string
    environment: string | null
    digests: string[]
    signer: string
    decision: string | null
  }[]
  missing: string[]
}

/** What an SBOM is made with beside the tree. */
export interface GenerateOptions {
  name?: string
  version?: string
  purl?: string
  bomRef?: string
  timestamp?: Time
  cargoHome?: string
}

/** A fault of an SBOM. */
export interface SbomFinding {
  rule: string
  /** A JSON pointer. */
  path: string
  message: string
}

/** What a JUnit report says. */
export interface JUnitReport {
  tests: number
  failures: number
  errors: number
  skipped: number
  failedNames: string[]
  durationMillis: number
}

/** What every failure throws or rejects with. */
export interface SealwrightError extends Error {
  /** The stable code, such as `BAD_SIGNATURE`. */
  code: string
  /** Facts for programs. */
  context: Record<string, string>
}

/** What a pack is asked for. */
export interface PackRequest {
  releaseId: string
  requestedBy: Actor
  requestedAt: Time
  title?: string
}

/** A pack that was written. */
export interface BuiltPack {
  packId: string
  /** SHA-256 of its manifest. */
  manifest: string
  statement: Record<string, unknown>
  /** The signed statement over the manifest, as text. */
  record: string
  files: number
}

/** What is known from elsewhere, against which a pack is verified. */
export interface PackDemand {
  /** Path of a SIGNERS file. */
  signers: string
  /** The `PUBLIC KEY` PEM text of the ledger. */
  logKey: string
  /** A signed note the ledger must extend. */
  minCheckpoint?: string
  /** Payload digest of version 1 of the trust policy. */
  trustPolicy?: string
}

/** A pack that was verified, and what it says of itself. */
export interface PackVerdict {
  statement: Record<string, unknown>
  /** The checkpoint everything is proven against. */
  checkpoint: string
  records: number
  bareEntries: number
  extension: 'not-asked' | 'proven' | 'not-shown'
  hasUncheckedTimestamp: boolean
}

