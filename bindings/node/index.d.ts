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
  depth: string
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


/**
 * Which binding artifact the generated loader actually loaded: `'native'` for
 * a native addon, otherwise the `platformArchABI` of the WASI flavor. Every
 * flavor napi-rs can build is listed, because `NAPI_RS_NATIVE_LIBRARY_PATH`
 * can point the loader at a WASI artifact this package does not build itself.
 */
export declare const __napiBindingTarget: 'native' | 'wasm32-wasi' | 'wasm32-wasip1'

/** A recorded decision. */
export declare class Decision {
  /** Whether the artifact may go on. */
  get passed(): boolean
  /** What was decided, as recorded. */
  get evaluation(): Record<string, unknown>
  /** Each enforced check that failed or could not be decided. */
  get refusals(): CheckResult[]
  /** Digest of the record's payload, by which a promotion names it. */
  get payload(): string
  /** Proof that the record is in the ledger. */
  get receipt(): Receipt
  /** The permit if the policy passed; else it rejects with `POLICY_DENIED` and the messages of the checks. */
  enforce(ledger: Ledger): Promise<Permit>
  /** The permit if the policy passed; else it throws `POLICY_DENIED` with the messages of the checks. */
  enforceSync(ledger: Ledger): Permit
}

/** What a search found. */
export declare class Found {
  /** The records, in the order of the ledger. */
  get records(): Array<LedgerRecord>
  /** Whether there are more; search again with `after` set to the last index. */
  get more(): boolean
  /** Number of entries of the ledger that was searched. */
  get size(): number
}

/** A ledger in a folder: append, prove, search, audit. Calls on one handle take turns. */
export declare class Ledger {
  /**
   * Makes a new ledger in `folder`, whose first entries are the signed records of version 1 of its trust policy.
   *
   * `anchors` is a folder outside of it, in which its highest checkpoint is remembered. `origin` names the log for
   * ever. `logKey` (Ed25519) signs its checkpoints.
   */
  static init(folder: string, anchors: string, origin: string, logKey: PrivateKey, trustPolicy: Array<Buffer>, now?: Time): Promise<Ledger>
  /** As `init`, at once. */
  static initSync(folder: string, anchors: string, origin: string, logKey: PrivateKey, trustPolicy: Array<Buffer>, now?: Time): Ledger
  /** Opens a ledger, to read it and, with its `logKey`, to append. `pins` is what is known of it from elsewhere. */
  static open(folder: string, anchors: string, logKey?: PrivateKey | undefined | null, pins?: Pins): Promise<Ledger>
  /** As `open`, at once. */
  static openSync(folder: string, anchors: string, logKey?: PrivateKey | undefined | null, pins?: Pins): Ledger
  /** Opens the ledger at `url`, to read it and to append through its service; `access` is what is shown to it. */
  static connect(url: string, anchors: string, access?: Access, pins?: Pins): Promise<Ledger>
  /** As `connect`, at once. */
  static connectSync(url: string, anchors: string, access?: Access, pins?: Pins): Ledger
  /** The name of the log. */
  get origin(): string
  /** The key of the log, as a C2SP verifier key. */
  get logKey(): string
  /** Whether it could be compared with what was seen of it before. */
  get anchored(): 'extends' | 'first-use'
  /** Number of entries. */
  size(): Promise<number>
  /** Number of entries. */
  sizeSync(): number
  /** The newest checkpoint this handle has seen, a signed note. */
  checkpoint(): Promise<string>
  /** The newest checkpoint this handle has seen, a signed note. */
  checkpointSync(): string
  /** The trust policy in force. */
  trustPolicy(): Promise<Record<string, unknown>>
  /** The trust policy in force. */
  trustPolicySync(): Record<string, unknown>
  /** Looks for entries that others appended meanwhile. */
  refresh(): Promise<void>
  /** Looks for entries that others appended meanwhile. */
  refreshSync(): void
  /** Verifies a record under the trust policy in force, as it must be before it is appended. */
  verify(record: Uint8Array, now?: Time): Promise<Verified>
  /** Verifies a record under the trust policy in force, as it must be before it is appended. */
  verifySync(record: Uint8Array, now?: Time): Verified
  /** Appends a verified record. The same Statement by the same signer gives its first receipt again. */
  append(record: Verified, now?: Time): Promise<Receipt>
  /** Appends a verified record. The same Statement by the same signer gives its first receipt again. */
  appendSync(record: Verified, now?: Time): Receipt
  /** Appends verified records in this order, all or none. */
  appendAll(records: Array<Verified>, now?: Time): Promise<Receipt[]>
  /** Appends verified records in this order, all or none. */
  appendAllSync(records: Array<Verified>, now?: Time): Array<Receipt>
  /** Signs a Statement and appends it, in one. */
  recordStatement(statement: Statement, key: PrivateKey, now?: Time): Promise<Receipt>
  /** Signs a Statement and appends it, in one. */
  recordStatementSync(statement: Statement, key: PrivateKey, now?: Time): Receipt
  /** The entry at `index`, proven. */
  entry(index: number): Promise<Entry>
  /** The entry at `index`, proven. */
  entrySync(index: number): Entry
  /** The record at `index`, proven and verified. */
  record(index: number): Promise<LedgerRecord>
  /** The record at `index`, proven and verified. */
  recordSync(index: number): LedgerRecord
  /** Receipt of the entry at `index` under the present checkpoint. */
  prove(index: number): Promise<Receipt>
  /** Receipt of the entry at `index` under the present checkpoint. */
  proveSync(index: number): Receipt
  /** Searches; all that is said must hold, nothing said finds everything. */
  search(query?: Query): Promise<Found>
  /** Searches; all that is said must hold, nothing said finds everything. */
  searchSync(query?: Query): Found
  /** Makes the search index anew from the log. */
  rebuildIndex(): Promise<void>
  /** Makes the search index anew from the log. */
  rebuildIndexSync(): void
  /** Audits every byte of the folder; no findings means that the ledger is whole. */
  audit(): Promise<AuditReport>
  /** Audits every byte of the folder; no findings means that the ledger is whole. */
  auditSync(): AuditReport
  /** Keeps a file that records name by its SHA-256, which is returned. */
  attach(data: Uint8Array): Promise<string>
  /** Keeps a file that records name by its SHA-256, which is returned. */
  attachSync(data: Uint8Array): string
  /** A file that was attached, checked against its digest. */
  attachment(digest: string): Promise<Buffer>
  /** A file that was attached, checked against its digest. */
  attachmentSync(digest: string): Buffer
}

/** A record of a ledger: proven to be in it, and verified under the trust policy at its index. */
export declare class LedgerRecord {
  /** Index of its entry, from 0. */
  get index(): number
  /** When it was logged, RFC 3339. */
  get loggedAt(): string
  /** Its entry. */
  get entry(): Entry
  /** The record, verified. */
  get verified(): Verified
  /** What the record says. */
  get statement(): Statement
  /** Who signed it, as the trust policy at its index knows them. */
  get speaker(): Speaker
  /** Whether a revocation of today takes away what it supports. */
  get revoked(): boolean
}

/** The right to promote and deploy one artifact into one environment, once and soon. Made only by a gate. */
export declare class Permit {
  /** The permit of a decision in this ledger, for a process that did not decide itself. */
  static ofDecision(ledger: Ledger, decision: string): Promise<Permit>
  /** The permit of a decision in this ledger, for a process that did not decide itself. */
  static ofDecisionSync(ledger: Ledger, decision: string): Permit
  /** Payload digest of the decision it stands for. */
  get decision(): string
  /** The artifacts it is for. */
  get artifacts(): ResourceDescriptor[]
  /** The environment it is for. */
  get environment(): Environment
  /** The change it is for. */
  get changeId(): string | null
}

/** A private key that signs. It cannot be copied or shown; its bytes are zeroed when it is let go. */
export declare class PrivateKey {
  /** Makes a new key of type `p256` or `ed25519`. */
  static generate(keyType: string): PrivateKey
  /** Reads a PEM file: PKCS#8, encrypted PKCS#8 or SEC1. */
  static fromPem(pem: string, passphrase?: string | undefined | null): Promise<PrivateKey>
  /** Reads a PEM file: PKCS#8, encrypted PKCS#8 or SEC1. */
  static fromPemSync(pem: string, passphrase?: string | undefined | null): PrivateKey
  /** Reads a key file. */
  static read(path: string, passphrase?: string | undefined | null): Promise<PrivateKey>
  /** Reads a key file. */
  static readSync(path: string, passphrase?: string | undefined | null): PrivateKey
  /** Writes a new file that only its owner can read, encrypted if there is a passphrase. Nothing is overwritten. */
  write(path: string, passphrase?: string | undefined | null): Promise<void>
  /** Writes a new file that only its owner can read, encrypted if there is a passphrase. Nothing is overwritten. */
  writeSync(path: string, passphrase?: string | undefined | null): void
  /** The key as a PEM file, encrypted if there is a passphrase. The text stays in memory until Node frees it. */
  toPem(passphrase?: string | undefined | null): Promise<string>
  /** The key as a PEM file, encrypted if there is a passphrase. The text stays in memory until Node frees it. */
  toPemSync(passphrase?: string | undefined | null): string
  /** The public half. */
  get public(): PublicKey
  /** Signs bytes: P-256 gives ASN.1 DER ECDSA over SHA-256, Ed25519 its 64 bytes. */
  sign(message: Uint8Array): Promise<Buffer>
  /** Signs bytes: P-256 gives ASN.1 DER ECDSA over SHA-256, Ed25519 its 64 bytes. */
  signSync(message: Uint8Array): Buffer
}

/** A public key that verifies. */
export declare class PublicKey {
  /** Reads a `PUBLIC KEY` PEM file. */
  static fromPem(pem: string): PublicKey
  /** Reads a key file. A private key given by mistake is refused, not used. */
  static read(path: string): Promise<PublicKey>
  /** Reads a key file. A private key given by mistake is refused, not used. */
  static readSync(path: string): PublicKey
  /** The key as a `PUBLIC KEY` PEM file. */
  toPem(): string
  /** Lower-case hex SHA-256 of its SubjectPublicKeyInfo. */
  get id(): string
  /** `p256` or `ed25519`. */
  get keyType(): string
  /** Verifies a signature over bytes: resolves, or rejects with `BAD_SIGNATURE`. */
  verify(message: Uint8Array, signature: Uint8Array): Promise<void>
  /** Verifies a signature over bytes: returns, or throws `BAD_SIGNATURE`. */
  verifySync(message: Uint8Array, signature: Uint8Array): void
}

/** Proof that a record is in a ledger. Made only by a ledger. */
export declare class Receipt {
  /** Index of the entry, from 0. */
  get index(): number
  /** Whether the record was in the ledger before. */
  get alreadyThere(): boolean
  /** The receipt as data, with its C2SP tlog-proof. */
  toJSON(): ReceiptData
  /** Verifies that `record` is in the ledger whose checkpoints `logKey` signs: resolves, or rejects. */
  verify(record: Uint8Array, logKey: string): Promise<void>
  /** Verifies that `record` is in the ledger whose checkpoints `logKey` signs: returns, or throws. */
  verifySync(record: Uint8Array, logKey: string): void
}

/** A record that an act left in the ledger. */
export declare class Recorded {
  /** Digest of its payload, by which other records name it. */
  get payload(): string
  /** Proof that it is in the ledger. */
  get receipt(): Receipt
}

/** An in-toto Statement: what is said (the predicate) about what (the subjects). */
export declare class Statement {
  /** A new Statement. A known predicate type is held against its specification, an unknown one is taken as it is. */
  constructor(predicateType: string, subjects: ResourceDescriptor[], predicate: Record<string, unknown>)
  /** Reads a payload as it was signed. */
  static parse(payload: Uint8Array): Statement
  /** The bytes that were or will be signed. */
  get payload(): Buffer
  /** SHA-256 of the payload, by which other records name this one. */
  get payloadDigest(): string
  /** The type of the predicate. */
  get predicateType(): string
  /** What it is about, each with a digest. */
  get subjects(): ResourceDescriptor[]
  /** What it says. */
  get predicate(): Record<string, unknown>
}

/** Proof that a record was signed as demanded. Made only by verifying. */
export declare class Verified {
  /** What was signed. */
  get statement(): Statement
  /** Those who signed. */
  get signers(): SignedBy[]
  /** The record, byte for byte as it was given. */
  get record(): Buffer
}

/** Verifies records against trusted keys. */
export declare class Verifier {
  /** Believes these keys, by name. */
  constructor(keys: TrustedKeys)
  /** Verifies a record: a Sigstore bundle or a DSSE envelope with an in-toto Statement. */
  verify(record: Uint8Array, expectation: Expectation): Promise<Verified>
  /** Verifies a record: a Sigstore bundle or a DSSE envelope with an in-toto Statement. */
  verifySync(record: Uint8Array, expectation: Expectation): Verified
}

/** The chain of custody of a release. */
export declare function custody(ledger: Ledger, releaseId: string): Promise<Custody>

/** The chain of custody of a release. */
export declare function custodySync(ledger: Ledger, releaseId: string): Custody

/**
 * Decides whether an artifact may go to an environment, by the policy bundle that the trust policy pins, and records it.
 *
 * `key` signs the decision. A refusal is no failure here: see `Decision.enforce`.
 */
export declare function decide(ledger: Ledger, key: PrivateKey, request: GateRequest, now?: Time): Promise<Decision>

/** As `decide`, at once. */
export declare function decideSync(ledger: Ledger, key: PrivateKey, request: GateRequest, now?: Time): Decision

/**
 * Records a deployment; without a permit it is an evidence gap from then on.
 *
 * Above dev, `promotion` is the payload digest of the promotion.
 */
export declare function deploy(ledger: Ledger, key: PrivateKey, deployment: Deploy, permit?: Permit | undefined | null, promotion?: string | undefined | null, now?: Time): Promise<Recorded>

/** As `deploy`, at once. */
export declare function deploySync(ledger: Ledger, key: PrivateKey, deployment: Deploy, permit?: Permit | undefined | null, promotion?: string | undefined | null, now?: Time): Recorded

/** SHA-256 of bytes, as `sha256:<hex>`. */
export declare function digestBytes(data: Uint8Array): Promise<string>

/** SHA-256 of bytes, as `sha256:<hex>`. */
export declare function digestBytesSync(data: Uint8Array): string

/** SHA-256 of a file, as `sha256:<hex>`. */
export declare function digestFile(path: string): Promise<string>

/** SHA-256 of a file, as `sha256:<hex>`. */
export declare function digestFileSync(path: string): string

/** The `dirHash1` of a folder, as a DigestSet. */
export declare function digestFolder(path: string): Promise<DigestSet>

/** The `dirHash1` of a folder, as a DigestSet. */
export declare function digestFolderSync(path: string): DigestSet

/** The digests of a file by several algorithms in one pass, as a DigestSet. */
export declare function digestSet(path: string, algorithms: Array<string>): Promise<DigestSet>

/** The digests of a file by several algorithms in one pass, as a DigestSet. */
export declare function digestSetSync(path: string, algorithms: Array<string>): DigestSet

/** Compares the newest snapshot of an environment with what was deployed into it, and records the result. */
export declare function drift(ledger: Ledger, key: PrivateKey, environmentId: string, now?: Time): Promise<Drift>

/** As `drift`, at once. */
export declare function driftSync(ledger: Ledger, key: PrivateKey, environmentId: string, now?: Time): Drift

/** The evidence gaps of a release; none means that nothing is missing. */
export declare function gaps(ledger: Ledger, releaseId: string): Promise<Finding[]>

/** The evidence gaps of a release; none means that nothing is missing. */
export declare function gapsSync(ledger: Ledger, releaseId: string): Finding[]

/** How a trust policy carries the public key of a signer. */
export declare function keyDescriptor(key: PublicKey): ResourceDescriptor

/** Reads a digest such as `sha256:<hex>`, and gives it as a DigestSet. */
export declare function parseDigest(text: string): DigestSet

/** How records name a policy bundle that is attached to their ledger. */
export declare function policyDescriptor(bundle: Uint8Array): ResourceDescriptor

/** The profile of a policy bundle, as records carry it. */
export declare function policyProfile(bundle: Uint8Array): Record<string, unknown>

/** Promotes what a permit is for into its environment, and spends the permit. */
export declare function promote(ledger: Ledger, key: PrivateKey, permit: Permit, releaseId: string, promotedBy: Actor, now?: Time): Promise<Recorded>

/** As `promote`, at once. */
export declare function promoteSync(ledger: Ledger, key: PrivateKey, permit: Permit, releaseId: string, promotedBy: Actor, now?: Time): Recorded

/** Begins a release: gives it its id, to which all evidence about its artifacts is linked. */
export declare function releaseBegin(ledger: Ledger, key: PrivateKey, releaseId: string, purl: string, artifacts: ResourceDescriptor[], now?: Time): Promise<Recorded>

/** As `releaseBegin`, at once. */
export declare function releaseBeginSync(ledger: Ledger, key: PrivateKey, releaseId: string, purl: string, artifacts: ResourceDescriptor[], now?: Time): Recorded

/**
 * Runs the `sealwright` command with these arguments, the first of which is the name of the program, and gives its exit
 * code. It prints, and never ends the process.
 */
export declare function runCommandSync(arguments: Array<string>): number

/** Signs a Statement: a record, which is a Sigstore bundle v0.3. */
export declare function sign(statement: Statement, key: PrivateKey): Promise<Buffer>

/** Signs a Statement: a record, which is a Sigstore bundle v0.3. */
export declare function signSync(statement: Statement, key: PrivateKey): Buffer

/** Records what an observer saw running. `source` is the raw answer it was made from; the ledger keeps it. */
export declare function snapshot(ledger: Ledger, key: PrivateKey, environment: Environment, observer: Actor, state: Observed[], source: Uint8Array, now?: Time): Promise<Recorded>

/** As `snapshot`, at once. */
export declare function snapshotSync(ledger: Ledger, key: PrivateKey, environment: Environment, observer: Actor, state: Observed[], source: Uint8Array, now?: Time): Recorded

/** The policy bundle for a first ledger on one machine. Attach it to the ledger whose trust policy pins it. */
export declare function starterBundle(): Buffer

/** The Statement of a trust policy, ready to be signed by its admins. */
export declare function trustPolicyStatement(policy: Record<string, unknown>): Statement

/** Verifies a record against trusted keys, as a Verifier does. */
export declare function verify(record: Uint8Array, keys: TrustedKeys, expectation: Expectation): Promise<Verified>

/** Verifies a record against trusted keys, as a Verifier does. */
export declare function verifySync(record: Uint8Array, keys: TrustedKeys, expectation: Expectation): Verified

export declare namespace junit {
  /** Reads a JUnit XML report. */
  export function read(report: Uint8Array): Promise<JUnitReport>
  /** Reads a JUnit XML report. */
  export function readSync(report: Uint8Array): JUnitReport
}

export declare namespace pack {
  /** Writes the evidence pack of a release to `folder`, which must be new or empty. `key` signs its manifest. */
  export function build(ledger: Ledger, key: PrivateKey, folder: string, request: PackRequest, now?: Time): Promise<BuiltPack>
  /** Writes the evidence pack of a release to `folder`, which must be new or empty. `key` signs its manifest. */
  export function buildSync(ledger: Ledger, key: PrivateKey, folder: string, request: PackRequest, now?: Time): BuiltPack
  /** Verifies the pack in `folder` against what is known from elsewhere. */
  export function verify(folder: string, demand: PackDemand): Promise<PackVerdict>
  /** Verifies the pack in `folder` against what is known from elsewhere. */
  export function verifySync(folder: string, demand: PackDemand): PackVerdict
}

export declare namespace sbom {
  /** Makes one CycloneDX 1.6 BOM of all lock files below `root`. */
  export function generate(root: string, options?: GenerateOptions): Promise<Record<string, unknown>>
  /** Makes one CycloneDX 1.6 BOM of all lock files below `root`. */
  export function generateSync(root: string, options?: GenerateOptions): Record<string, unknown>
  /** The view of a CycloneDX JSON document that policies look at. */
  export function read(document: Uint8Array): Promise<Record<string, unknown>>
  /** The view of a CycloneDX JSON document that policies look at. */
  export function readSync(document: Uint8Array): Record<string, unknown>
  /** Every fault of a CycloneDX 1.6 JSON document, the first 100 at most; none means valid. */
  export function validate(document: Uint8Array): Promise<SbomFinding[]>
  /** Every fault of a CycloneDX 1.6 JSON document, the first 100 at most; none means valid. */
  export function validateSync(document: Uint8Array): SbomFinding[]
}
