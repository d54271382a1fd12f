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

/** Who holds a certificate. */
export interface CertificateIdentity {
  /** An e-mail address, or the URI of a workflow. */
  subject?: string
  /** In place of it a regular expression, which the whole subject must match. */
  subjectPattern?: string
  /** The issuer of the token that the certificate was given for. */
  issuer: string
  /** What else it says, such as `sourceRepositoryUri`. */
  extensions?: Record<string, string | { pattern: string }>
}

/** When a trusted signer counts. */
export interface Validity {
  validFrom?: Time
  validUntil?: Time
}

/** Trusted signers by name: a `PUBLIC KEY` PEM text, or a key or certificate identity with its validity. */
export type TrustedSigners = Record<
  string,
  string | ({ key: string } & Validity) | ({ identity: CertificateIdentity } & Validity)
>

/** Whom one believes as witnesses of logs, and how many of them must have cosigned. */
export interface Witnesses {
  /** C2SP verifier keys, `NAME+ID+KEY`; none twice, by its name or its key. */
  keys: string[]
  /** All of them, if it is not said. */
  quorum?: number
}

/** That a witness cosigned a checkpoint. */
export interface Cosignature {
  witness: string
  at: string
}

/** What the verification of a signed file demands. */
export interface BlobExpectation {
  /** `sha256:<hex>`. */
  artifact?: string
  /** A name that the trust root gives, or several of which one does. */
  signer?: string | string[]
  /** In place of it the holder of a certificate. */
  identity?: CertificateIdentity
  /** So many different transparency logs. Of a certificate one is demanded in any case. */
  logEntries?: number
  /** So many different timestamp authorities. */
  timestamps?: number
  /** Who must have cosigned the checkpoints of the logs. */
  witnesses?: Witnesses
  /** Takes a certificate without an entry in a transparency log. */
  unloggedUnsafe?: boolean
  /** Takes a certificate that no log of certificates vouches for. */
  withoutSctUnsafe?: boolean
  /** When it was signed or logged; the present if not said. */
  at?: Time
}

/** What the verification of a record demands. */
export interface Expectation extends BlobExpectation {
  /** `sha256:<hex>`, or `any-unsafe` for callers that compare the subjects themselves. */
  artifact: string
  predicateType?: string
}

/** A signer whose signature was checked. */
export interface SignedBy {
  name: string
  keyId: string
  keyType: string
  /** What its certificate says of it, if it signed with one. */
  certificate?: {
    subject: string
    issuer: string
    extensions: Record<string, string>
    notBefore: string
    notAfter: string
  }
}

/** That a believed transparency log holds a signature. */
export interface Logged {
  log: string
  index: number
  integratedAt?: string
  /** Which of the demanded witnesses cosigned the checkpoint that it is proven by. */
  witnesses?: Cosignature[]
}

/** That a believed timestamp authority saw a signature. */
export interface Timestamped {
  authority: string
  at: string
}

/** A signed file, verified. */
export interface VerifiedBlob {
  digest: string
  signers: SignedBy[]
  logEntries: Logged[]
  timestamps: Timestamped[]
  signedAt?: string
}

/** What opening a signer may need beside its reference. */
export interface SignerAccess {
  passphrase?: string
  pin?: string
  /** A `PUBLIC KEY` PEM text, for a signer that does not tell it (a command). */
  publicKey?: string
  vault?: { address: string; token: string; mount?: string }
  timeLimitMillis?: number
}

/** Environment variables. */
export type Variables = Record<string, string | undefined>

/** A trusted root that was fetched. */
export interface ArchivedRoot {
  fetchedAt: string
  digest: string
}

/** What the environment does not say of a build. */
export interface CiRun {
  started?: Time
  finished?: Time
  /** External parameters beside those of the system. */
  parameters?: Record<string, unknown>
  /** What was fetched beside the source. */
  dependencies?: ResourceDescriptor[]
}

/** What is demanded of a build. */
export interface ProvenanceExpectation {
  builders?: { id: string; ref?: string; signers?: string[]; certificateIssuer?: string }[]
  sourceUri?: string
  sourceCommit?: string
  sourceBranch?: string
  sourceTag?: string
  sourceVersionedTag?: string
  trigger?: string
  runnerEnvironment?: string
  buildTypes?: string[]
  workflowInputs?: Record<string, string>
  parameters?: Record<string, unknown>
  allowedParameters?: string[]
  dependencySources?: string[]
  baseImages?: string[]
  environmentImages?: string[]
  refuseTags?: boolean
  imageTag?: string
}

/** What is demanded of a verification summary. */
export interface SummaryExpectation {
  verifierId?: string
  resourceUri?: string
  policyUri?: string
  levels?: string[]
  dependencyLevel?: string
  subjects?: string[]
  verifiedFrom?: Time
  verifiedUntil?: Time
  keyId?: string
}

/** A build, as its provenance tells of it. */
export interface Build {
  version: 'v1' | 'v0.2' | 'v0.1'
  builderId: string
  builderDependencies: ResourceDescriptor[]
  buildType: string
  source?: { repository: string; ref?: string; commit?: string }
  externalParameters: Record<string, unknown>
  internalParameters: Record<string, unknown>
  dependencies: ResourceDescriptor[]
  invocationId?: string
  startedOn?: string
  finishedOn?: string
}

/** A build that was checked. */
export interface CheckedBuild {
  build: Build
  provenance: string
  findings: { field: string; expected: string; found: string }[]
}

/** A person as Git names them. */
export interface Ident {
  name: string
  email: string
}

/** Who signed a commit or a tag. */
export interface CommitSigner {
  key: { type: string; [more: string]: string }
  principals: string[]
  forge?: string
  signedAt: string
}

/** A commit whose signature was verified. */
export interface VerifiedCommit {
  commit: string
  tree: string
  parents: string[]
  author: Ident
  authoredAt: string
  committer: Ident
  committedAt: string
  message: string
  signer: CommitSigner
}

/** A tag whose signature was verified. */
export interface VerifiedTag {
  tag: string
  target: string
  name: string
  tagger: Ident
  taggedAt: string
  signer: CommitSigner
}

/** Who wrote a commit. */
export interface AuthorshipData {
  commit: string
  tree: string
  author: Ident
  committer: Ident
  coAuthors: Ident[]
  writers: Ident[]
  signer: CommitSigner | null
  doubts: { kind: string; code?: string; message: string }[]
}

/** How one speaks to registries: credentials of one kind, or none. */
export interface RegistryAccess {
  user?: string
  password?: string
  token?: string
  /** The text of a Docker configuration file, for `registry`. */
  dockerConfig?: string
  registry?: string
  plainHttpUnsafe?: boolean
}

/** What an image is. */
export interface ResolvedImage {
  digest: string
  mediaType: string
  kind: 'manifest' | { index: { members: { digest: string; platform: { architecture: string; os: string; variant?: string } | null; mediaType: string }[] } }
}

/** What the verification of a layout demands. */
export interface LayoutExpectation {
  /** A product of the last step, `sha256:<hex>`, or `any-unsafe`. */
  artifact: string
  parameters?: Record<string, string>
  /** Refuses a link whose command differs from the expected one. */
  requireCommands?: boolean
  /** When the layout must be valid; the present if not said. */
  at?: Time
}

/** A step of a layout that was performed as demanded. */
export interface VerifiedStep {
  name: string
  keyIds: string[]
  threshold: number
  within?: VerifiedStep[]
}

/** A layout that holds. */
export interface VerifiedLayout {
  layout: string
  owners: string[]
  expires: string
  steps: VerifiedStep[]
  materials: Record<string, DigestSet>
  products: Record<string, DigestSet>
  commandDeviations: { step: string; keyId: string; expected: string[]; found: string[] }[]
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
  /** Entries whose records were disposed of, as records of the ledger say. */
  disposed: number
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

/** What is known of a ledger from elsewhere, against which a receipt is checked. */
export interface ReceiptDemand {
  /** A C2SP verifier key. */
  logKey: string
  /** The notes by which it was replaced, the oldest first. */
  rotations?: string[]
  /** C2SP verifier keys of witnesses who must have cosigned the checkpoint; without them nobody must. */
  witnesses?: string[]
  /** How many of them must have; all, if it is not said. */
  quorum?: number
}

/** What a checked receipt says. */
export interface ReceiptVerdict {
  index: number
  origin: string
  size: number
  root: string
  /** Who cosigned that state, of the witnesses demanded. */
  cosignatures: Cosignature[]
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
  /** C2SP verifier keys of witnesses who must have cosigned the checkpoint; without them nobody must. */
  witnesses?: string[]
  /** How many of them must have; all, if it is not said. */
  quorum?: number
}

/** A pack that was verified, and what it says of itself. */
export interface PackVerdict {
  statement: Record<string, unknown>
  /** The checkpoint everything is proven against. */
  checkpoint: string
  records: number
  bareEntries: number
  disposedEntries: number
  extension: 'not-asked' | 'proven' | 'not-shown'
  /** Who cosigned the checkpoint, of the witnesses demanded; if none were, of those of the trust policy in the pack. */
  cosignatures: Cosignature[]
  /** Authorities that timestamped the checkpoint, and when. */
  timestamps: Timestamped[]
  hasUncheckedTimestamp: boolean
}

