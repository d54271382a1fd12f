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

/** A cosignature of a checkpoint that counts. */
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
  /** C2SP verifier keys of witnesses who must have cosigned the checkpoints of the logs; without them nobody must. */
  witnesses?: string[]
  /** How many of them must have; all, if it is not said. */
  quorum?: number
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

/** What opening a ledger may need; for one behind an address no more than `pins` and `access`. */
export interface Opening {
  /** Signs checkpoints, to append. */
  logKey?: PrivateKey
  /** Opens a ledger that is encrypted. */
  encryptionKey?: KeyEncryptionKey
  pins?: Pins
  /** The credential of whoever appends, where the trust policy lists writers. */
  submitter?: string
  /** The folder that bodies were moved to. */
  archive?: string
  /** What is shown to an address. */
  access?: Access
  /** Tell the credentials of a bucket; those of this process if not given. */
  variables?: Variables
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
  component?: string
  vulnerability?: string
  resource?: string
  predicateType?: string
  since?: Time
  until?: Time
  after?: number
  limit?: number
}

/** What is asked for: a package, an advisory, or a vulnerability by its id. */
export interface Asked {
  /** Package url; with a version, that version alone. */
  purl?: string
  /** Versions of it, such as `>=1.2.0, <2`. */
  range?: string
  /** An advisory of OSV, as it was published. */
  advisory?: Record<string, unknown>
  /** Id of a vulnerability, such as a CVE: what the newest scan by each scanner found. */
  vulnerability?: string
  /** Read every entry instead of asking the index, which could hide. */
  complete?: boolean
}

/** What contains it, or may, as of a size of the ledger. */
export interface Affected {
  size: number
  /** Those that run come first. */
  artifacts: AffectedArtifact[]
  /** Entries of SBOMs that can't be read. */
  unreadable: number[]
}

/** What is looked at for alerts, and from when on it is unusual. */
export interface Watch {
  /** Length of the stretch that is looked at, which ends at the present; 24 if not said. */
  hours?: number
  /** Stretches of that length before it, from which the usual number is taken; 7 if not said. */
  before?: number
  /** Reads are unusual if they are more than so many times the usual number; 3 if not said. */
  times?: number
  /** And at least so many more than it; 5 if not said. */
  more?: number
  /** Days before its end from which on a document is told; 30 if not said. */
  days?: number
}

/** What was found, as of a size of the ledger. */
export interface Alerts {
  size: number
  from: string
  to: string
  /** The earliest first. */
  alerts: Alert[]
  /** Entries that may matter and can't be read. */
  unread: number[]
}

export interface Alert {
  at: string
  kind:
    | 'unusual-reads'
    | 'unusual-reader'
    | 'use-without-signature'
    | 'signature-without-use'
    | 'document-expired'
    | 'document-expires'
  /** The secret or key, the id of whoever read, or the document. */
  about: string
  message: string
  /** Entries that say so. */
  records: number[]
}

export interface AffectedArtifact {
  digest: string
  name?: string
  services: string[]
  releases: string[]
  components: AffectedComponent[]
  running: RunningIn[]
  /** Entries of the SBOMs and scans that say so. */
  records: number[]
}

export interface AffectedComponent {
  name: string
  version?: string
  purl?: string
  scope?: 'required' | 'optional' | 'excluded'
  /** Whether it is certain that it is meant. */
  certain: boolean
  /** Shortest ways to it, each from what needs it directly. */
  paths: string[][]
  vulnerabilities?: string[]
}

/** Where an artifact runs. */
export interface RunningIn {
  environment: string
  class: string
  by: 'observed' | 'deployed' | 'attempted'
  since: string
  resources: string[]
  /** Entries of the deployments and the snapshot that say so. */
  records: number[]
}

/** Something that was not whole, and is now. */
export interface Repair {
  kind: 'completed' | 'dropped' | 'cleared'
  message: string
}

/** What a move did. */
export interface Relocated {
  origin: string
  from: string
  to: string
  size: number
  /** The same in both places, base64. */
  root: string
  objects: number
  bytes: number
  carried: number
}

/** Records, and bytes of their bodies. */
export interface Held {
  records: number
  withoutBody: number
  bytes: number
}

/** A distribution of durations. */
export interface Latency {
  count: number
  outOfOrder: number
  late: number
  sum: number
  p50: number
  p95: number
  p99: number
  max: number
  atMost: number[]
}

/** What a ledger holds and costs, as data. */
export interface LedgerStatsData {
  origin: string
  size: number
  root: string
  bytes: number
  tileBytes: number
  bodyBytes: number
  attachments: number
  attachmentBytes: number
  /** By predicate type. */
  types: Record<string, Held>
  ages: ({ upToDays: number | null } & Held)[]
  /** By predicate type, in milliseconds. */
  evidenceLatency: Record<string, Latency>
  /** In microseconds, of this handle. */
  appendLatency: Latency
}

/** What a rotation of an encrypted ledger's keys did. */
export interface RotatedKeys {
  /** Name of the key from now on. */
  key: string
  headers: number
  /** Whether an earlier rotation, which was cut short, was brought to its end. */
  resumed: boolean
}

/** How long records are kept. */
export interface Schedule {
  v: 'sealwright-retention/v1'
  /** Ids of the catalogue of controls. */
  frameworks: string[]
  rules?: {
    id: string
    /** Such as `P7Y`. */
    minimum: string
    startsFrom?: 'creation' | 'last-effective' | 'end-of-support' | 'release'
    kinds?: string[]
    predicateTypes?: string[]
  }[]
  /** Periods for rules of the catalogue. */
  periods?: Record<string, string>
  /** By release id, `*` for all others. */
  supportEnds?: Record<string, Time>
}

/** The retention of one record. */
export interface Due {
  index: number
  predicateType: string
  payload: string
  bytes: number
  loggedAt: string
  rule: string | null
  retainedSince: string | null
  dueAt: string | null
  /** Why it may not go, whatever the time. */
  obstacles: string[]
}

/** What would be disposed of, as data. */
export interface DisposalPlanData {
  at: string
  /** Digest of the schedule. */
  schedule: string
  items: Due[]
  refused: Due[]
  attachments: string[]
  approvals: string[]
  /** Which approvals are missing. */
  lacking: string[]
}

/** What was disposed of. */
export interface Disposal {
  /** Entry of the decision. */
  decision: number
  /** Entry of the record of the disposal. */
  record: number
  entries: number[]
  attachments: string[]
}

/** A legal hold to be placed. Of the query all that is said must hold; records named by `entries` are held in any case. */
export interface HoldOrder {
  /** A URI that nobody used before. */
  holdId: string
  /** Case reference; no details. */
  matter: string
  orderedBy: Actor
  custodian?: Actor
  entries?: number[]
  services?: string[]
  releases?: string[]
  environments?: string[]
  predicateTypes?: string[]
  /** When they were logged, both ends included. */
  window?: { from: Time; to: Time }
  everything?: boolean
}

/** A legal hold that was placed. */
export interface Hold {
  index: number
  placed: { holdId: string; matter: string; orderedBy: Actor; custodian: Actor; at: string; [more: string]: unknown }
  /** Entry of the record that released it; `null` while it is in force. */
  releasedBy: number | null
  payload: string
  records: string[]
}

/** What was moved between a ledger and its archive. */
export interface Moved {
  entries: number[]
  bytes: number
}

/** What others said of a checkpoint. */
export interface Witnessed {
  size: number
  cosignatures: Cosignature[]
  /** How many cosignatures the trust policy demands. */
  quorum: number
  timestamps: Timestamped[]
}

/** What a round among the witnesses came to. */
export interface AskedWitnesses {
  witnessed: Witnessed
  /** Witnesses that gave no cosignature, and why. */
  failed: { witness: string; code: string; message: string }[]
}

/** What a witness answers, as HTTP says it. */
export interface WitnessAnswer {
  status: number
  contentType: string
  body: string
}

/** Proof that a log signed two histories. */
export interface ForkData {
  v: string
  origin: string
  /** Signed notes, the smaller one first. */
  checkpoints: string[]
  rootThen?: string
  proof?: string[]
}

/** What a pull came to. */
export interface Mirrored {
  origin: string
  had: number
  size: number
  root: string
  /** Entries that have no record, and nothing says why. */
  withoutBody: number
  disposed: number
  archived: number
  /** Records that were erased in the copy, because they were disposed of. */
  erased: number
  /** Entries whose record at the source is not the one they commit to. */
  refused: number[]
  attachmentsMissing: number
  /** Entries whose records nobody has held against them, because the key of the ledger was not given. */
  unproven: number
  /** Whether the keys were rotated and the new ones wait to be proven. */
  keysUnproven: boolean
  /** Whether some attachments could not be looked for. */
  attachmentsUnseen: boolean
}

/** What became of the records of a spool. */
export interface Sent {
  /** By the SHA-256 of their bytes. */
  delivered: { record: string; receipt: ReceiptData }[]
  refused: { file: string; code: string; message: string }[]
  /** What ended the sending before its end; the records from there on still wait. */
  stopped: { code: string; message: string } | null
}

/** How far a copy is behind. */
export interface Lag {
  entries: number
  millis: number
  pulledAt: string | null
}

/** What an audit found. */
export interface AuditReport {
  origin: string
  size: number
  root: string
  /** Entries whose records were disposed of, as records of the ledger say. */
  disposed: number
  depth: string
  /** Whether it was read through its service: files that nothing leads to, and the index, were not looked at. */
  throughService: boolean
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
  /** Lock files that do not count, and folders of such, by their paths below the root. */
  exclude?: string[]
}

/** Which image an SBOM is made of, and what it is made with. */
export interface ImageOptions {
  digest?: string
  tag?: string
  /** As `linux/amd64` or `linux/arm/v7`. */
  platform?: string
  name?: string
  version?: string
  purl?: string
  bomRef?: string
  timestamp?: Time
}

/** A fault of an SBOM. */
export interface SbomFinding {
  rule: string
  /** A JSON pointer. */
  path: string
  /** The line and element in an XML or tag-value file. */
  place?: string
  message: string
}

/** An SBOM that was made of others. */
export interface SbomMade {
  /** Its text. */
  document: string
  /** What of the sources is not in it; `source` is the place of the SBOM in the list. */
  lost: { source?: number; path: string; reason: string }[]
}

/** What is looked for in an SBOM; a component must meet all that is given. */
export interface SbomQuery {
  purl?: string
  name?: string
  /** Versions, such as `>=1.2.0, <2`. */
  range?: string
  /** An SPDX id. */
  license?: string
}

/** What a query found. */
export interface SbomQueryResult {
  found: Record<string, unknown>[]
  /** What says too little to tell. */
  undecided: Record<string, unknown>[]
}

/** A change of one component. */
export interface SbomChange {
  component: string
  before?: string
  after?: string
}

/** What changed from one SBOM to another. */
export interface SbomDifference {
  added: SbomChange[]
  removed: SbomChange[]
  upgraded: SbomChange[]
  downgraded: SbomChange[]
  licenses: SbomChange[]
  replaced: SbomChange[]
  datasets: SbomChange[]
}

/** Which of the minimum elements an SBOM lacks. */
export interface SbomScore {
  ntia: boolean
  cisa: boolean
  percent: number
  missing: string[]
  components: { path: string; name: string; missing: string[] }[]
}

/** Which licences are allowed: SPDX ids, `id WITH exception`, or names as they stand. */
export interface LicensePolicy {
  allow?: string[]
  deny?: string[]
  allowUnlicensed?: boolean
}

/** A component whose licences are not allowed. */
export interface LicenseFault {
  path: string
  component: string
  license: string | null
  reason: string
}

/** What a merged SBOM is about. */
export interface SbomMergeOptions {
  name: string
  version?: string
  timestamp?: Time
}

/** What is said of a vulnerability and a product. */
export interface VexStatement {
  vulnerabilities: string[]
  product: string
  subcomponents?: string[]
  status: 'not_affected' | 'affected' | 'fixed' | 'under_investigation'
  justification?: string
  at?: string
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

/** What is said beside a report; all of it may be left out, and a format that needs it refuses without it. */
export interface Told {
  format?: string
  subjects?: ResourceDescriptor[]
  kind?: string
  tool?: { name: string; version?: string }
  databaseDate?: string
  startedAt?: string
  finishedAt?: string
  configuration?: ResourceDescriptor[]
  collector?: Record<string, unknown>
  environment?: Record<string, unknown>
  source?: string
  sequence?: number
  previousSegment?: Record<string, string>
  failAt?: 'high' | 'medium' | 'low' | 'info'
  limits?: {
    maxAgeSeconds?: number
    rpoSeconds?: number
    registries?: string[]
    ciAccounts?: string[]
    tlsVersion?: string
    certificateDays?: number
  }
  guard?: Record<string, unknown>
  location?: string
  coverage?: 'full' | 'partial'
  mapping?: Record<string, unknown>
  predicate?: Record<string, unknown>
  tree?: Record<string, string>
}

/** A format of reports. */
export interface IngestFormat {
  name: string
  title: string
  mediaType: string
  recognisedBy: string
  says: string
  becomes: string[]
  holdsSecrets: boolean
}

/** What the guard found, without the value. */
export interface GuardHit {
  rule: string
  class: 'secrets' | 'phi'
  place: string
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


/**
 * Which binding artifact the generated loader actually loaded: `'native'` for
 * a native addon, otherwise the `platformArchABI` of the WASI flavor. Every
 * flavor napi-rs can build is listed, because `NAPI_RS_NATIVE_LIBRARY_PATH`
 * can point the loader at a WASI artifact this package does not build itself.
 */
export declare const __napiBindingTarget: 'native' | 'wasm32-wasi' | 'wasm32-wasip1'

/** A file of a ledger, read in pieces: `for await (const piece of reader)`, or `Readable.from(reader)`. */
export declare class AttachmentReader {
  /** Bytes of the file. */
  get size(): number
  /** The next piece; the last is asked for in vain. A file that was changed ends in `LEDGER_TAMPERED`. */
  next(): Promise<IteratorResult<Buffer, undefined>>
  /** The reader itself. */
  [globalThis.Symbol.asyncIterator](): this
}

/** All records that match a query, up to a checkpoint. */
export declare class Complete {
  /** The records, in the order of the ledger. */
  get records(): Array<LedgerRecord>
  /** Entries that may match, and whose body is not there. */
  get withoutBody(): Array<number>
  /** Whether there are more; ask again with `after` set to the last index. */
  get more(): boolean
  /** Number of entries that were walked: nothing that matches was logged before and is left out. */
  get size(): number
  /** Root of the checkpoint of that size, base64. */
  get root(): string
}

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

/** What would be disposed of, and what stands in the way. */
export declare class DisposalPlan {
  /** Whether all of it may go. */
  get mayGo(): boolean
  /** The whole as data. */
  toJSON(): DisposalPlanData
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

/** A key that ledgers are encrypted with, wherever it is. It cannot be shown. */
export declare class KeyEncryptionKey {
  /**
   * Makes a new key in a new file that only its owner can read, under a passphrase if there is one.
   *
   * Without this file and its passphrase nobody reads what was encrypted with it.
   */
  static generate(path: string, passphrase?: string | undefined | null): Promise<KeyEncryptionKey>
  /** As `generate`, at once. */
  static generateSync(path: string, passphrase?: string | undefined | null): KeyEncryptionKey
  /** Opens the key that `reference` names: a key file, `pkcs11:…`, `awskms://…` or `hashivault://…`. */
  static open(reference: string, access?: SignerAccess): Promise<KeyEncryptionKey>
  /** As `open`, at once. */
  static openSync(reference: string, access?: SignerAccess): KeyEncryptionKey
  /** What names the key in the ledgers it opens; no secret. */
  get id(): string
}

/** A ledger in a folder, in a bucket or behind an address: append, prove, search, audit. Calls on one handle take turns. */
export declare class Ledger {
  /** Keeps bytes, or a file of any length, that records name by its SHA-256, which is returned. */
  attach(content: Uint8Array | BlobFile): Promise<string>
  /** Keeps bytes, or a file of any length, that records name by its SHA-256, which is returned. */
  attachSync(content: Uint8Array | BlobFile): string
  /** A file that was attached, checked against its digest; whole, so at most 1 GiB. */
  attachment(digest: string): Promise<Buffer>
  /** A file that was attached, checked against its digest; whole, so at most 1 GiB. */
  attachmentSync(digest: string): Buffer
  /**
   * A file of any length that was attached, in pieces. Nothing of it is proven before its end, where what was changed
   * is refused.
   */
  attachmentStream(digest: string): Promise<AttachmentReader>
  /**
   * A file of any length that was attached, in pieces. Nothing of it is proven before its end, where what was changed
   * is refused.
   */
  attachmentStreamSync(digest: string): AttachmentReader
  /**
   * Makes a new ledger at `place`, a folder or a bucket that a file describes. Its first entries are the signed records of
   * version 1 of its trust policy.
   *
   * `anchors` is a folder outside of it, in which its highest checkpoint is remembered. `origin` names the log for
   * ever. `logKey` (Ed25519) signs its checkpoints. Of `opening`, `encryptionKey` encrypts it.
   */
  static init(place: string, anchors: string, origin: string, logKey: PrivateKey, trustPolicy: Array<Buffer>, now?: Time, opening?: Opening | undefined | null): Promise<Ledger>
  /** As `init`, at once. */
  static initSync(place: string, anchors: string, origin: string, logKey: PrivateKey, trustPolicy: Array<Buffer>, now?: Time, opening?: Opening | undefined | null): Ledger
  /**
   * Opens the ledger at `place`: an address, a file in TOML that describes a bucket, or a folder; to read it and, with
   * its `logKey` or behind an address, to append.
   */
  static open(place: string, anchors: string, opening?: Opening | undefined | null): Promise<Ledger>
  /** As `open`, at once. */
  static openSync(place: string, anchors: string, opening?: Opening | undefined | null): Ledger
  /** Opens the ledger at `url`, to read it and to append through its service; `access` is what is shown to it. */
  static connect(url: string, anchors: string, access?: Access, pins?: Pins): Promise<Ledger>
  /** As `connect`, at once. */
  static connectSync(url: string, anchors: string, access?: Access, pins?: Pins): Ledger
  /** Moves the ledger at `from` to `to`, with the same root; `from` takes no append any more. */
  static moveTo(from: string, to: string, anchors: string, opening?: Opening | undefined | null): Promise<Relocated>
  /** As `moveTo`, at once. */
  static moveToSync(from: string, to: string, anchors: string, opening?: Opening | undefined | null): Relocated
  /** The name of the log. */
  get origin(): string
  /** Where it lies, for people to read. */
  get place(): string
  /** The key of the log, as a C2SP verifier key; the newest that this handle has seen. */
  get logKey(): string
  /** Name of the key it is encrypted with, if it is. */
  get keyEncryptionKey(): string | null
  /** Whether it could be compared with what was seen of it before. */
  get anchored(): 'extends' | 'first-use'
  /**
   * As `search`, all pages, each read when it is needed: `for await (const record of ledger.iterate(query))`. `limit` is
   * the length of a page.
   */
  iterate(query?: Query): Records
  /** Appends verified records in this order, all or none. */
  appendAll(records: Array<Verified>, now?: Time): Promise<Receipt[]>
  /** Appends verified records in this order, all or none. */
  appendAllSync(records: Array<Verified>, now?: Time): Array<Receipt>
  /** Appends a verified record. The same Statement by the same signer gives its first receipt again. */
  append(record: Verified, now?: Time): Promise<Receipt>
  /** Appends a verified record. The same Statement by the same signer gives its first receipt again. */
  appendSync(record: Verified, now?: Time): Receipt
  /** Signs a Statement and appends it, in one. */
  recordStatement(statement: Statement, key: PrivateKey | Signer, now?: Time): Promise<Receipt>
  /** Signs a Statement and appends it, in one. */
  recordStatementSync(statement: Statement, key: PrivateKey | Signer, now?: Time): Receipt
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
  /** What was not whole when this handle opened the ledger or wrote to it, and is now. */
  repairs(): Promise<Repair[]>
  /** What was not whole when this handle opened the ledger or wrote to it, and is now. */
  repairsSync(): Repair[]
  /** Where it was moved to, if it was; it takes no append then. */
  movedTo(): Promise<string | null>
  /** Where it was moved to, if it was; it takes no append then. */
  movedToSync(): string | null
  /** What it holds as of `now`: bytes by type and age, and how late evidence arrives. */
  stats(now?: Time): Promise<LedgerStats>
  /** What it holds as of `now`: bytes by type and age, and how late evidence arrives. */
  statsSync(now?: Time): LedgerStats
  /** Verifies a record under the trust policy in force, as it must be before it is appended. */
  verify(record: Uint8Array, now?: Time): Promise<Verified>
  /** Verifies a record under the trust policy in force, as it must be before it is appended. */
  verifySync(record: Uint8Array, now?: Time): Verified
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
  /** As `search`, from the log and not from the index, which could hide: it reads every entry. */
  complete(query?: Query): Promise<Complete>
  /** As `search`, from the log and not from the index, which could hide: it reads every entry. */
  completeSync(query?: Query): Complete
  /** Which releases contain a package or have a vulnerability, where they run, since when, and by which path it came in. */
  affected(asked: Asked): Promise<Affected>
  /** Which releases contain a package or have a vulnerability, where they run, since when, and by which path it came in. */
  affectedSync(asked: Asked): Affected
  /** Makes the search index anew from the log. */
  rebuildIndex(): Promise<void>
  /** Makes the search index anew from the log. */
  rebuildIndexSync(): void
  /** Brings what this handle appended to rest, and says if that failed; it can be used on. */
  close(): Promise<void>
  /** Brings what this handle appended to rest, and says if that failed; it can be used on. */
  closeSync(): void
  /** Brings what was appended to rest, into its own files and those to disk, for what reads the folder by itself. */
  settle(): Promise<void>
  /** Brings what was appended to rest, into its own files and those to disk, for what reads the folder by itself. */
  settleSync(): void
  /**
   * Audits every byte where the ledger lies, and behind an address what the log and its records lead to; no findings means
   * that it is whole.
   */
  audit(): Promise<AuditReport>
  /**
   * Audits every byte where the ledger lies, and behind an address what the log and its records lead to; no findings means
   * that it is whole.
   */
  auditSync(): AuditReport
  /** The retention of all records under a schedule, as of `now`. */
  retention(schedule: Schedule, now?: Time): Promise<Retention>
  /** The retention of all records under a schedule, as of `now`. */
  retentionSync(schedule: Schedule, now?: Time): Retention
  /** What of `entries`, or of all records, could be disposed of. Nothing is changed. */
  planDisposal(schedule: Schedule, entries?: number[], now?: Time): Promise<DisposalPlan>
  /** What of `entries`, or of all records, could be disposed of. Nothing is changed. */
  planDisposalSync(schedule: Schedule, entries?: number[], now?: Time): DisposalPlan
  /**
   * Disposes of `entries`, or of all records that are due and that two records officers approved of. The decision and
   * the record of the disposal are appended first; then bodies are erased. Entries stay, and proofs still verify.
   */
  dispose(key: PrivateKey | Signer, schedule: Schedule, executedBy: Actor, entries?: number[], now?: Time): Promise<Disposal>
  /**
   * Disposes of `entries`, or of all records that are due and that two records officers approved of. The decision and
   * the record of the disposal are appended first; then bodies are erased. Entries stay, and proofs still verify.
   */
  disposeSync(key: PrivateKey | Signer, schedule: Schedule, executedBy: Actor, entries?: number[], now?: Time): Disposal
  /** Erases bodies whose disposal is recorded, and whose erasing was cut short. Gives their entries. */
  finishDisposals(): Promise<number[]>
  /** Erases bodies whose disposal is recorded, and whose erasing was cut short. Gives their entries. */
  finishDisposalsSync(): number[]
  /** All legal holds that were ever placed. */
  holds(): Promise<Hold[]>
  /** All legal holds that were ever placed. */
  holdsSync(): Hold[]
  /** Moves bodies of entries logged before `before` to the archive. */
  archive(before: Time): Promise<Moved>
  /** Moves bodies of entries logged before `before` to the archive. */
  archiveSync(before: Time): Moved
  /** Moves bodies back from the archive: those of `entries`, or all. */
  unarchive(entries?: number[]): Promise<Moved>
  /** Moves bodies back from the archive: those of `entries`, or all. */
  unarchiveSync(entries?: number[]): Moved
  /** Entries whose bodies are archived. */
  archived(): Promise<number[]>
  /** Entries whose bodies are archived. */
  archivedSync(): number[]
  /** What the witnesses and time-stamp authorities of the trust policy said of the present checkpoint. */
  witnessed(): Promise<Witnessed>
  /** What the witnesses and time-stamp authorities of the trust policy said of the present checkpoint. */
  witnessedSync(): Witnessed
  /** Asks witnesses of the trust policy over the network, each at its URL by its name, and keeps what they give. */
  askWitnesses(urls: Record<string, string>): Promise<AskedWitnesses>
  /** Asks witnesses of the trust policy over the network, each at its URL by its name, and keeps what they give. */
  askWitnessesSync(urls: Record<string, string>): AskedWitnesses
  /** Keeps the cosignatures of a checkpoint that was cosigned elsewhere. */
  keepCosigned(checkpoint: string): Promise<Cosignature[]>
  /** Keeps the cosignatures of a checkpoint that was cosigned elsewhere. */
  keepCosignedSync(checkpoint: string): Cosignature[]
  /** Has the RFC 3161 authority at `url`, which the trust policy believes, sign the time of the present checkpoint. */
  timestampCheckpoint(url: string): Promise<Timestamped>
  /** Has the RFC 3161 authority at `url`, which the trust policy believes, sign the time of the present checkpoint. */
  timestampCheckpointSync(url: string): Timestamped
  /** Keeps an RFC 3161 token (DER) over the log's own note of a checkpoint. */
  keepTimestamp(checkpoint: string, token: Uint8Array): Promise<Timestamped>
  /** Keeps an RFC 3161 token (DER) over the log's own note of a checkpoint. */
  keepTimestampSync(checkpoint: string, token: Uint8Array): Timestamped
  /** The notes by which the log key was replaced, each signed with the old and the new one, for those who pin the old one. */
  rotations(): Promise<string[]>
  /** The notes by which the log key was replaced, each signed with the old and the new one, for those who pin the old one. */
  rotationsSync(): string[]
  /** The proofs kept on this machine that this log signed two histories. */
  forks(): Promise<ForkData[]>
  /** The proofs kept on this machine that this log signed two histories. */
  forksSync(): ForkData[]
  /** Replaces the key that signs checkpoints. Gives the note that says so, for those who pin the old one. */
  rotateLogKey(newKey: PrivateKey): Promise<string>
  /** As `rotateLogKey`, at once. */
  rotateLogKeySync(newKey: PrivateKey): string
  /** Puts an encrypted ledger under another key, or its keys anew under the same; no record is touched. */
  rotateEncryptionKeys(to: KeyEncryptionKey): Promise<RotatedKeys>
  /** As `rotateEncryptionKeys`, at once. */
  rotateEncryptionKeysSync(to: KeyEncryptionKey): RotatedKeys
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

/** What a ledger holds and costs. */
export declare class LedgerStats {
  /** The figures as data. */
  toJSON(): LedgerStatsData
  /** The same in the text format of Prometheus. */
  toPrometheus(): string
}

/** A copy of a ledger in a folder of its own, which is pulled over and over. */
export declare class Mirror {
  /**
   * The mirror in `folder`, whether it was pulled before or not. `anchors` remember what was seen of its ledger;
   * `archive` is the folder that bodies of the ledger were moved to.
   */
  constructor(folder: string, anchors: string, archive?: string | undefined | null)
  /**
   * Makes a ledger of a copy, the folder of a mirror or a URL, in a new folder; it has the same root. Of
   * `opening`, `encryptionKey`, `pins` and `archive` are used.
   */
  static restore(folder: string, anchors: string, copy: string, opening?: Opening | undefined | null): Promise<Mirrored>
  /** As `restore`, at once. */
  static restoreSync(folder: string, anchors: string, copy: string, opening?: Opening | undefined | null): Mirrored
  /** Pulls what the ledger at `source`, a folder or a URL, has and the copy has not, by `encryptionKey` and `pins` of `opening`. */
  pull(source: string, opening?: Opening | undefined | null, now?: Time): Promise<Mirrored>
  /** Pulls what the ledger at `source`, a folder or a URL, has and the copy has not, by `encryptionKey` and `pins` of `opening`. */
  pullSync(source: string, opening?: Opening | undefined | null, now?: Time): Mirrored
  /** How far the copy is behind; nothing is pulled. */
  lag(source: string, now?: Time): Promise<Lag>
  /** How far the copy is behind; nothing is pulled. */
  lagSync(source: string, now?: Time): Lag
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
  /** Makes a new key of type `p256`, `p384` or `ed25519`. */
  static generate(keyType: string): PrivateKey
  /** Reads a PEM file: PKCS#8, encrypted PKCS#8, SEC1, or one of cosign. */
  static fromPem(pem: string, passphrase?: string | undefined | null): Promise<PrivateKey>
  /** Reads a PEM file: PKCS#8, encrypted PKCS#8, SEC1, or one of cosign. */
  static fromPemSync(pem: string, passphrase?: string | undefined | null): PrivateKey
  /** Reads a key file. */
  static read(path: string, passphrase?: string | undefined | null): Promise<PrivateKey>
  /** Reads a key file. */
  static readSync(path: string, passphrase?: string | undefined | null): PrivateKey
  /** Writes a new file that only its owner can read, encrypted if there is a passphrase. Nothing is overwritten. */
  write(path: string, passphrase?: string | undefined | null, format?: 'pkcs8' | 'cosign'): Promise<void>
  /** Writes a new file that only its owner can read, encrypted if there is a passphrase. Nothing is overwritten. */
  writeSync(path: string, passphrase?: string | undefined | null, format?: 'pkcs8' | 'cosign'): void
  /** The key as a PEM file, encrypted if there is a passphrase. The text stays in memory until Node frees it. */
  toPem(passphrase?: string | undefined | null, format?: 'pkcs8' | 'cosign'): Promise<string>
  /** The key as a PEM file, encrypted if there is a passphrase. The text stays in memory until Node frees it. */
  toPemSync(passphrase?: string | undefined | null, format?: 'pkcs8' | 'cosign'): string
  /** The public half. */
  get public(): PublicKey
  /** Signs bytes: P-256 and P-384 give ASN.1 DER ECDSA over their hash, Ed25519 its 64 bytes. */
  sign(message: Uint8Array): Promise<Buffer>
  /** Signs bytes: P-256 and P-384 give ASN.1 DER ECDSA over their hash, Ed25519 its 64 bytes. */
  signSync(message: Uint8Array): Buffer
}

/** A public key that verifies. */
export declare class PublicKey {
  /** Reads a `PUBLIC KEY` PEM file. */
  static fromPem(pem: string): PublicKey
  /** Reads a JSON Web Key. */
  static fromJwk(json: string): PublicKey
  /** Reads a key file. A private key given by mistake is refused, not used. */
  static read(path: string): Promise<PublicKey>
  /** Reads a key file. A private key given by mistake is refused, not used. */
  static readSync(path: string): PublicKey
  /** The key as a `PUBLIC KEY` PEM file. */
  toPem(): string
  /** Lower-case hex SHA-256 of its SubjectPublicKeyInfo. */
  get id(): string
  /** `p256`, `p384`, `ed25519` or `rsa`. */
  get keyType(): string
  /** Verifies a signature over bytes: resolves, or rejects with `BAD_SIGNATURE`. */
  verify(message: Uint8Array, signature: Uint8Array): Promise<void>
  /** Verifies a signature over bytes: returns, or throws `BAD_SIGNATURE`. */
  verifySync(message: Uint8Array, signature: Uint8Array): void
}

/** Proof that a record is in a ledger. Given by a ledger; one that is parsed is a claim until it is checked. */
export declare class Receipt {
  /** Reads a receipt as `ledger prove` writes it, and as its JSON. */
  static parse(receipt: Uint8Array): Receipt
  /** Index of the entry, from 0. */
  get index(): number
  /** Whether the record was in the ledger before. */
  get alreadyThere(): boolean
  /** The receipt as data, with its C2SP tlog-proof. */
  toJSON(): ReceiptData
  /** Verifies that `record` is in the ledger that is demanded, without the ledger. */
  check(record: Uint8Array, demand: ReceiptDemand): Promise<ReceiptVerdict>
  /** As `check`, at once. */
  checkSync(record: Uint8Array, demand: ReceiptDemand): ReceiptVerdict
  /**
   * Verifies that `record` is in the ledger whose checkpoints `logKey` signs, or a key that replaced it by the notes
   * `rotations`: resolves, or rejects.
   */
  verify(record: Uint8Array, logKey: string, rotations?: Array<string> | undefined | null): Promise<void>
  /** As `verify`, at once: returns, or throws. */
  verifySync(record: Uint8Array, logKey: string, rotations?: Array<string> | undefined | null): void
}

/** A record that an act left in the ledger. */
export declare class Recorded {
  /** Digest of its payload, by which other records name it. */
  get payload(): string
  /** Proof that it is in the ledger. */
  get receipt(): Receipt
}

/** Records of a ledger, one after the other. */
export declare class Records {
  /** The next record. */
  next(): Promise<IteratorResult<LedgerRecord, undefined>>
  /** The iterator itself. */
  [globalThis.Symbol.asyncIterator](): this
}

/** The retention of all records of a ledger. */
export declare class Retention {
  /** Records that may be disposed of now. */
  get due(): Due[]
  /** The whole as data. */
  toJSON(): { size: number; at: string; records: Due[] }
}

/** A signer that was opened by its reference, wherever its key is. */
export declare class Signer {
  /** Opens the signer that `reference` names: a key file, `pkcs11:…`, `awskms://…`, `hashivault://…` or `command:…`. */
  static open(reference: string, access?: SignerAccess): Promise<Signer>
  /** As `open`, at once. */
  static openSync(reference: string, access?: SignerAccess): Signer
  /** The public half. */
  get public(): PublicKey
  /** Signs bytes. All but a key file get to see their digest, and nothing else of them. */
  sign(message: Uint8Array): Promise<Buffer>
  /** As `sign`, at once. */
  signSync(message: Uint8Array): Buffer
}

/** A folder of signed records that wait to be appended, for runners without a network. */
export declare class Spool {
  /** Adds a record, on disk when this is done; gives its path. Its form is looked at, not its signature. */
  add(record: Uint8Array, now?: Time): Promise<string>
  /** Adds a record, on disk when this is done; gives its path. Its form is looked at, not its signature. */
  addSync(record: Uint8Array, now?: Time): string
  /**
   * Keeps bytes, or a file of any length, that records name by its SHA-256, which is returned; on disk when this is done.
   * Attach it before the records that name it are added.
   */
  attach(content: Uint8Array | BlobFile): Promise<string>
  /**
   * Keeps bytes, or a file of any length, that records name by its SHA-256, which is returned; on disk when this is done.
   * Attach it before the records that name it are added.
   */
  attachSync(content: Uint8Array | BlobFile): string
  /** SHA-256 of the attachments that wait. */
  attachments(): Promise<string[]>
  /** SHA-256 of the attachments that wait. */
  attachmentsSync(): string[]
  /** Names of the records that wait, oldest first. */
  waiting(): Promise<string[]>
  /** Names of the records that wait, oldest first. */
  waitingSync(): string[]
  /** The spool in `folder`, which is made when a first record is added. */
  constructor(folder: string)
  /**
   * Sends what waits to a ledger, attachments before records, and these oldest first. What is refused is put aside with
   * the reason.
   */
  send(ledger: Ledger, now?: Time): Promise<Sent>
  /** As `send`, at once. */
  sendSync(ledger: Ledger, now?: Time): Sent
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

/**
 * What a verifier believes: keys and certificate identities by name, and the authorities and logs of Sigstore trusted
 * roots. It is never changed; each `with…` gives another one.
 */
export declare class TrustRoot {
  /** Believes these signers, by name. */
  constructor(signers?: TrustedSigners)
  /** Believes Sigstore's public-good instance, by the copy that is built in. */
  static publicGood(): TrustRoot
  /** Believes Sigstore's staging instance, which is for tests, by the copy that is built in. */
  static staging(): TrustRoot
  /** Believes GitHub's own instance, for private repositories, by the copy that is built in. It has no logs. */
  static github(): TrustRoot
  /** Believes these signers, too. */
  withSigners(signers: TrustedSigners): TrustRoot
  /** Believes a Sigstore trusted root (JSON), too. Of several, the newest comes last. */
  withSigstore(trustedRoot: Uint8Array): TrustRoot
}

/** Proof that a record was signed as demanded. Made only by verifying. */
export declare class Verified {
  /** What was signed. */
  get statement(): Statement
  /** Those who signed. */
  get signers(): SignedBy[]
  /** When it was signed at the latest, as a log or a timestamp authority says; RFC 3339. */
  get signedAt(): string | null
  /** The transparency logs that hold the signature. */
  get logEntries(): Logged[]
  /** The timestamps over the signature. */
  get timestamps(): Timestamped[]
  /** The record, byte for byte as it was given. */
  get record(): Buffer
}

/** Verifies records and signed files against what a trust root believes. */
export declare class Verifier {
  /** Believes a trust root, or no more than these signers. */
  constructor(trust: TrustRoot | TrustedSigners)
  /** Verifies a record: a Sigstore bundle or a DSSE envelope with an in-toto Statement. */
  verify(record: Uint8Array, expectation: Expectation): Promise<Verified>
  /** Verifies a record: a Sigstore bundle or a DSSE envelope with an in-toto Statement. */
  verifySync(record: Uint8Array, expectation: Expectation): Verified
  /** Verifies a Sigstore bundle with the signature of a blob: bytes, a file, or its digest. */
  verifyBlob(bundle: Uint8Array, blob: string | Uint8Array | BlobFile, expectation: BlobExpectation): Promise<VerifiedBlob>
  /** As `verifyBlob`, at once. */
  verifyBlobSync(bundle: Uint8Array, blob: string | Uint8Array | BlobFile, expectation: BlobExpectation): VerifiedBlob
}

/** A witness of our own: it remembers the highest checkpoint of each log, and cosigns only what extends it. */
export declare class Witness {
  /** The witness of this name and key (Ed25519), whose state lies in `folder`. */
  constructor(folder: string, name: string, key: PrivateKey)
  /** Its key, to be named in trust policies. */
  get key(): string
  /**
   * Cosigns the checkpoint of a log, in a folder or at a URL, if it extends what was cosigned before. `logKey` is needed
   * the first time. Gives the cosigned checkpoint.
   */
  cosign(log: string, logKey?: string | undefined | null, now?: Time): Promise<string>
  /**
   * Cosigns the checkpoint of a log, in a folder or at a URL, if it extends what was cosigned before. `logKey` is needed
   * the first time. Gives the cosigned checkpoint.
   */
  cosignSync(log: string, logKey?: string | undefined | null, now?: Time): string
  /** Believes the checkpoints of a log that this key signs, and those that follow it by the notes of its rotations. */
  trustLog(logKey: string, rotations?: string[]): Promise<void>
  /** Believes the checkpoints of a log that this key signs, and those that follow it by the notes of its rotations. */
  trustLogSync(logKey: string, rotations?: string[]): void
  /** Answers a request `add-checkpoint` of C2SP tlog-witness, as an HTTP server says it. */
  addCheckpoint(request: Uint8Array, now?: Time): Promise<WitnessAnswer>
  /** Answers a request `add-checkpoint` of C2SP tlog-witness, as an HTTP server says it. */
  addCheckpointSync(request: Uint8Array, now?: Time): WitnessAnswer
}

/**
 * Uses of keys and secrets in the hours up to `now` that somebody should look at: unusual reads, and keys whose uses do
 * not match what they signed; and documents that end.
 */
export declare function alerts(ledger: Ledger, watch?: Watch, now?: Time): Promise<Alerts>

/** As `alerts`, at once. */
export declare function alertsSync(ledger: Ledger, watch?: Watch, now?: Time): Alerts

/** Approves the disposal of `entries`, or of all records that are due, as a records officer. */
export declare function approveDisposal(ledger: Ledger, key: PrivateKey | Signer, schedule: Schedule, approver: Actor, entries?: number[], now?: Time): Promise<Recorded>

/** As `approveDisposal`, at once. */
export declare function approveDisposalSync(ledger: Ledger, key: PrivateKey | Signer, schedule: Schedule, approver: Actor, entries?: number[], now?: Time): Recorded

/** A file, by its path. */
export interface BlobFile {
  /** The path. */
  path: string
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
export declare function decide(ledger: Ledger, key: PrivateKey | Signer, request: GateRequest, now?: Time): Promise<Decision>

/** As `decide`, at once. */
export declare function decideSync(ledger: Ledger, key: PrivateKey | Signer, request: GateRequest, now?: Time): Decision

/**
 * Records a deployment; without a permit it is an evidence gap from then on.
 *
 * Above dev, `promotion` is the payload digest of the promotion.
 */
export declare function deploy(ledger: Ledger, key: PrivateKey | Signer, deployment: Deploy, permit?: Permit | undefined | null, promotion?: string | undefined | null, now?: Time): Promise<Recorded>

/** As `deploy`, at once. */
export declare function deploySync(ledger: Ledger, key: PrivateKey | Signer, deployment: Deploy, permit?: Permit | undefined | null, promotion?: string | undefined | null, now?: Time): Recorded

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
export declare function drift(ledger: Ledger, key: PrivateKey | Signer, environmentId: string, now?: Time): Promise<Drift>

/** As `drift`, at once. */
export declare function driftSync(ledger: Ledger, key: PrivateKey | Signer, environmentId: string, now?: Time): Drift

/** The evidence gaps of a release; none means that nothing is missing. */
export declare function gaps(ledger: Ledger, releaseId: string): Promise<Finding[]>

/** The evidence gaps of a release; none means that nothing is missing. */
export declare function gapsSync(ledger: Ledger, releaseId: string): Finding[]

/** How a trust policy carries the public key of a signer. */
export declare function keyDescriptor(key: PublicKey): ResourceDescriptor

/** The rules of a schedule for evidence of these kinds, with their periods, the longest first. */
export declare function longestRetention(schedule: Schedule, kinds: Array<string>): [rule: string, period: string][]

/** Reads a digest such as `sha256:<hex>`, and gives it as a DigestSet. */
export declare function parseDigest(text: string): DigestSet

/** Places a legal hold: from then on nothing that it covers is disposed of. */
export declare function placeHold(ledger: Ledger, key: PrivateKey | Signer, order: HoldOrder, now?: Time): Promise<Recorded>

/** As `placeHold`, at once. */
export declare function placeHoldSync(ledger: Ledger, key: PrivateKey | Signer, order: HoldOrder, now?: Time): Recorded

/** How records name a policy bundle that is attached to their ledger. */
export declare function policyDescriptor(bundle: Uint8Array): ResourceDescriptor

/** The profile of a policy bundle, as records carry it. */
export declare function policyProfile(bundle: Uint8Array): Record<string, unknown>

/** Promotes what a permit is for into its environment, and spends the permit. */
export declare function promote(ledger: Ledger, key: PrivateKey | Signer, permit: Permit, releaseId: string, promotedBy: Actor, now?: Time): Promise<Recorded>

/** As `promote`, at once. */
export declare function promoteSync(ledger: Ledger, key: PrivateKey | Signer, permit: Permit, releaseId: string, promotedBy: Actor, now?: Time): Recorded

/** Begins a release: gives it its id, to which all evidence about its artifacts is linked. */
export declare function releaseBegin(ledger: Ledger, key: PrivateKey | Signer, releaseId: string, purl: string, artifacts: ResourceDescriptor[], now?: Time): Promise<Recorded>

/** As `releaseBegin`, at once. */
export declare function releaseBeginSync(ledger: Ledger, key: PrivateKey | Signer, releaseId: string, purl: string, artifacts: ResourceDescriptor[], now?: Time): Recorded

/** Releases a legal hold; nothing is disposed of by that. */
export declare function releaseHold(ledger: Ledger, key: PrivateKey | Signer, holdId: string, orderedBy: Actor, matter?: string | undefined | null, now?: Time): Promise<Recorded>

/** As `releaseHold`, at once. */
export declare function releaseHoldSync(ledger: Ledger, key: PrivateKey | Signer, holdId: string, orderedBy: Actor, matter?: string | undefined | null, now?: Time): Recorded

/**
 * Runs the `sealwright` command with these arguments, the first of which is the name of the program, and gives its exit
 * code. It prints, and never ends the process.
 */
export declare function runCommandSync(arguments: Array<string>): number

/** Signs a Statement: a record, which is a Sigstore bundle v0.3. */
export declare function sign(statement: Statement, key: PrivateKey | Signer): Promise<Buffer>

/** Signs bytes or a file as they are: a Sigstore bundle v0.3 with a message signature. */
export declare function signBlob(blob: Uint8Array | BlobFile, key: PrivateKey | Signer): Promise<Buffer>

/** As `signBlob`, at once. */
export declare function signBlobSync(blob: Uint8Array | BlobFile, key: PrivateKey | Signer): Buffer

/** Signs a Statement: a record, which is a Sigstore bundle v0.3. */
export declare function signSync(statement: Statement, key: PrivateKey | Signer): Buffer

/** Records what an observer saw running. `source` is the raw answer it was made from; the ledger keeps it. */
export declare function snapshot(ledger: Ledger, key: PrivateKey | Signer, environment: Environment, observer: Actor, state: Observed[], source: Uint8Array, now?: Time): Promise<Recorded>

/** As `snapshot`, at once. */
export declare function snapshotSync(ledger: Ledger, key: PrivateKey | Signer, environment: Environment, observer: Actor, state: Observed[], source: Uint8Array, now?: Time): Recorded

/** The policy bundle for a first ledger on one machine. Attach it to the ledger whose trust policy pins it. */
export declare function starterBundle(): Buffer

/** The Statement of a trust policy, ready to be signed by its admins. */
export declare function trustPolicyStatement(policy: Record<string, unknown>): Statement

/** Verifies a record, as a Verifier does. */
export declare function verify(record: Uint8Array, trust: TrustRoot | TrustedSigners, expectation: Expectation): Promise<Verified>

/** Checks a proof that a log signed two histories, by its key and the notes of its rotations: returns, or throws. */
export declare function verifyFork(proof: ForkData, logKey: string, rotations?: Array<string> | undefined | null): void

/** Verifies a record, as a Verifier does. */
export declare function verifySync(record: Uint8Array, trust: TrustRoot | TrustedSigners, expectation: Expectation): Verified

export declare namespace ci {
  /** The predicate of SLSA provenance v1 of a build on a machine that is no CI system. `source` has a `uri` and a digest. */
  export function plainMachine(builderId: string, source: ResourceDescriptor, run?: CiRun, at?: Time): Record<string, unknown>
  /**
   * The predicate of SLSA provenance v1 of the build that this runs in, from what `system` says: its name, or `auto`.
   *
   * The variables are those of this process unless others are given; `systems` describes more systems in TOML.
   */
  export function provenance(system: string, variables?: Variables, run?: CiRun, systems?: Array<Uint8Array> | undefined | null, at?: Time): Record<string, unknown>
}

export declare namespace commit {
  /** Who wrote a commit: what it says itself, who signed it, and what does not fit. */
  export class Authorship {
    /** Verifies the commit that `git cat-file commit` prints, and compares the signer with those it names. */
    static of(raw: Uint8Array, commitId: string, trust: commit.CommitTrust, at?: Time): Promise<Authorship>
    /** As `of`, at once. */
    static ofSync(raw: Uint8Array, commitId: string, trust: commit.CommitTrust, at?: Time): commit.Authorship
    /** Whether a trusted signature stands behind all that it says of who made it. */
    get isClear(): boolean
    /** All that is known of who wrote it. */
    toJSON(): AuthorshipData
    /** The commit as a subject of a Statement. */
    descriptor(repository: string): ResourceDescriptor
  }
  /** Whose signatures on commits and tags are believed. Empty, it believes nobody; each `with…` gives another one. */
  export class CommitTrust {
    /** Believes nobody yet. */
    constructor()
    /** Believes the keys of an `allowed_signers` file of OpenSSH, each for its principals. */
    withAllowedSigners(file: Uint8Array): commit.CommitTrust
    /** Refuses these SSH keys whenever they signed: public keys, one on each line. */
    withRevokedSshKeys(file: Uint8Array): commit.CommitTrust
    /** Believes the OpenPGP certificates of a keyring, each for the addresses of its user ids. */
    withOpenpgpKeyring(file: Uint8Array): commit.CommitTrust
    /** Believes gitsign signatures by the certificate identities that `trust` names. */
    withCertificates(trust: TrustRoot): commit.CommitTrust
    /** Believes what `forge` believes as the word of the forge called `name`, which vouches for the authors it names. */
    withForge(name: string, forge: commit.CommitTrust): commit.CommitTrust
  }
  /** Verifies the signature of the commit that `git cat-file commit` prints. */
  export function verify(raw: Uint8Array, commitId: string, trust: commit.CommitTrust, at?: Time): Promise<VerifiedCommit>
  /** As `verify`, at once. */
  export function verifySync(raw: Uint8Array, commitId: string, trust: commit.CommitTrust, at?: Time): VerifiedCommit
  /** Verifies the signature of the annotated tag that `git cat-file tag` prints. */
  export function verifyTag(raw: Uint8Array, tagId: string, trust: commit.CommitTrust, at?: Time): Promise<VerifiedTag>
  /** As `verifyTag`, at once. */
  export function verifyTagSync(raw: Uint8Array, tagId: string, trust: commit.CommitTrust, at?: Time): VerifiedTag
}

export declare namespace guard {
  /**
   * Searches text for secrets and data of people: rule, class and place of each finding, never the value. `rules` are rules of
   * one's own.
   */
  export function text(text: string, rules?: Record<string, unknown>): GuardHit[]
}

export declare namespace ingest {
  /** What was made of a report. */
  export class Ingested {
    /** Name of the format that it was read as. */
    get format(): string
    /** What the report says, ready to be signed. */
    get statements(): Array<Statement>
    /** The report itself, by digest. */
    get report(): ResourceDescriptor
    /** Whether the report may hold secrets, so that nothing but its digest may be kept. */
    get holdsSecrets(): boolean
  }
  /** Every format that is read: its name, what it is recognised by, what it says and becomes. */
  export function formats(): IngestFormat[]
  /** Reads a report, and makes statements of it. `told` says what the report does not. */
  export function read(report: Uint8Array, told?: Told, now?: Time): Promise<ingest.Ingested>
  /** As `read`, of a file; a log of one entry a line is never held in memory. */
  export function readFile(path: string, told?: Told, now?: Time): Promise<ingest.Ingested>
  /** As `readSync`, of a file; a log of one entry a line is never held in memory. */
  export function readFileSync(path: string, told?: Told, now?: Time): ingest.Ingested
  /** Reads a report, and makes statements of it. `told` says what the report does not. */
  export function readSync(report: Uint8Array, told?: Told, now?: Time): ingest.Ingested
}

export declare namespace junit {
  /** Reads a JUnit XML report. */
  export function read(report: Uint8Array): Promise<JUnitReport>
  /** Reads a JUnit XML report. */
  export function readSync(report: Uint8Array): JUnitReport
}

export declare namespace keyless {
  /** A folder with all trusted roots that were ever fetched from one source. */
  export class RootArchive {
    /** The archive in this folder, which need not exist yet. */
    constructor(folder: string)
    /** Fetches the newest root over the network, by TUF; past ones stay. Gives the newest root, and whether it is new. */
    refresh(source: keyless.RootSource, at?: Time): Promise<[ArchivedRoot, boolean]>
    /** As `refresh`, at once. */
    refreshSync(source: keyless.RootSource, at?: Time): [ArchivedRoot, boolean]
    /** All roots, the oldest first. */
    rootsSync(): ArchivedRoot[]
    /** All roots, the oldest first. */
    roots(): Promise<ArchivedRoot[]>
    /** One trusted root of all, for `TrustRoot.withSigstore`. */
    trustedRoot(): Promise<Buffer>
    /** One trusted root of all, for `TrustRoot.withSigstore`. */
    trustedRootSync(): Buffer
    /** The signing configuration that came with the newest root, for `Services.fromSigningConfig`. */
    signingConfig(): Promise<Buffer>
    /** The signing configuration that came with the newest root, for `Services.fromSigningConfig`. */
    signingConfigSync(): Buffer
  }
  /** A TUF repository of trusted roots, and the `root.json` that trust in it begins with. */
  export class RootSource {
    /** The repository at `url`; get its `root.json` on a way you trust. */
    constructor(url: string, pinned: Uint8Array)
    /** That of Sigstore's public-good instance. */
    static publicGood(): keyless.RootSource
    /** That of Sigstore's staging instance. */
    static staging(): keyless.RootSource
    /** That of GitHub's own instance. */
    static github(): keyless.RootSource
  }
  /** The services that make a keyless signature: a certificate authority, transparency logs, timestamp authorities. */
  export class Services {
    /** Those of a Sigstore signing configuration v0.2 that are in use. */
    static fromSigningConfig(config: Uint8Array, at?: Time): keyless.Services
    /**
     * Sigstore's public-good instance, by `config` or the copy that is built in.
     *
     * It publishes the signer's e-mail address or workflow for ever: `knowing` must be `my-identity-is-published-for-ever`.
     */
    static publicGood(knowing: string, config?: Uint8Array | undefined | null, at?: Time): keyless.Services
    /** Sigstore's staging instance, which is public, and for tests. */
    static staging(at?: Time): keyless.Services
    /** The audience that a token must be for. */
    get audience(): string
    /** The addresses that a signature goes through, in this order. */
    get addresses(): Array<string>
  }
  /** An OpenID Connect identity token. It cannot be shown; its memory is overwritten when it is let go. */
  export class Token {
    /** Takes a token as its issuer wrote it (a JWT). */
    static parse(text: string): keyless.Token
    /** Reads a token from a file. */
    static read(path: string): Promise<Token>
    /** As `read`, at once. */
    static readSync(path: string): keyless.Token
    /**
     * The token for `audience` that a CI system or a cloud gives to this job; `null` outside of them.
     *
     * The variables are those of this process unless others are given.
     */
    static ambient(audience: string, variables?: Variables): Promise<Token | null>
    /** As `ambient`, at once. */
    static ambientSync(audience: string, variables?: Variables): keyless.Token | null
    /** What a signature with it makes public. */
    get publication(): { issuer: string; identity: string; details: Record<string, string> }
    /** Until when it is valid, by its own words. */
    get expiresAt(): string
  }
  /** Signs the artifact with this digest (`sha256:<hex>`) by an identity token, likewise. */
  export function signBlob(artifact: string, services: keyless.Services, token: keyless.Token, trust: TrustRoot, at?: Time): Promise<Buffer>
  /** As `signBlob`, at once. */
  export function signBlobSync(artifact: string, services: keyless.Services, token: keyless.Token, trust: TrustRoot, at?: Time): Buffer
  /** Signs a Statement by an identity token: a record, verified against `trust` before it is given. */
  export function signStatement(statement: Statement, services: keyless.Services, token: keyless.Token, trust: TrustRoot, at?: Time): Promise<Buffer>
  /** As `signStatement`, at once. */
  export function signStatementSync(statement: Statement, services: keyless.Services, token: keyless.Token, trust: TrustRoot, at?: Time): Buffer
  /** Adds a timestamp of the RFC 3161 authority at `url`, which `trust` must believe, to a signed record. */
  export function timestamp(record: Uint8Array, url: string, trust: TrustRoot): Promise<Buffer>
  /** As `timestamp`, at once. */
  export function timestampSync(record: Uint8Array, url: string, trust: TrustRoot): Buffer
}

export declare namespace layout {
  /**
   * Verifies a layout that all `owners` must have signed, and its links. No command of it is ever run.
   *
   * `owners` are key files as text: PEM, or the JSON of securesystemslib. `links` is the folder they lie in, or their bytes
   * by name.
   */
  export function verify(layout: Uint8Array, owners: Array<string>, links: string | Record<string, Uint8Array>, expectation: LayoutExpectation): Promise<VerifiedLayout>
  /** As `verify`, at once. */
  export function verifySync(layout: Uint8Array, owners: Array<string>, links: string | Record<string, Uint8Array>, expectation: LayoutExpectation): VerifiedLayout
}

export declare namespace oci {
  /** The bundles of an image, and what should be one and could not be read. */
  export class Bundles {
    /** Those that could be read. */
    get found(): Array<oci.FoundBundle>
    /** Those that could not. */
    get unreadable(): { digest: string; code: string; message: string }[]
  }
  /** A bundle that a registry keeps for an image. Nothing of it is verified. */
  export class FoundBundle {
    /** The bundle, or a bare DSSE envelope that cosign wrote for a key. */
    get bundle(): Buffer
    /** What the bundle signs, if that is no Statement. */
    get payload(): Buffer | null
    /** Where it was found. */
    toJSON(): { manifest: string; place: string; annotations: Record<string, string> }
  }
  /**
   * A way to registries, with the credentials for one of them. Its calls touch the network.
   *
   * An image is `REGISTRY/REPOSITORY` with `:TAG` or `@sha256:<hex>`.
   */
  export class Registry {
    /** With the credentials given, or with none. */
    constructor(access?: RegistryAccess)
    /** What an image stands for at the moment. Go on with the digest. */
    resolve(image: string): Promise<ResolvedImage>
    /** As `resolve`, at once. */
    resolveSync(image: string): ResolvedImage
    /** Stores a bundle beside the image it is about, and gives the digest of the manifest made for it. */
    attach(image: string, bundle: Uint8Array, at?: Time): Promise<string>
    /** As `attach`, at once. */
    attachSync(image: string, bundle: Uint8Array, at?: Time): string
    /** All bundles that the registry keeps for the image. Nothing of them is verified. */
    bundles(image: string): Promise<Bundles>
    /** As `bundles`, at once. */
    bundlesSync(image: string): oci.Bundles
    /** Copies the bundles of an image to where the same image lies, byte for byte. Gives the digests of their manifests. */
    copyBundles(image: string, to: string): Promise<string[]>
    /** As `copyBundles`, at once. */
    copyBundlesSync(image: string, to: string): string[]
  }
  /** The digest of the image that a simple-signing payload of cosign is about. Only of one whose signature was verified. */
  export function signedImage(payload: Uint8Array): string
}

export declare namespace pack {
  /** Writes the evidence pack of a release to `folder`, which must be new or empty. `key` signs its manifest. */
  export function build(ledger: Ledger, key: PrivateKey | Signer, folder: string, request: PackRequest, now?: Time): Promise<BuiltPack>
  /** Writes the evidence pack of a release to `folder`, which must be new or empty. `key` signs its manifest. */
  export function buildSync(ledger: Ledger, key: PrivateKey | Signer, folder: string, request: PackRequest, now?: Time): BuiltPack
  /** Verifies the pack in `folder` against what is known from elsewhere. */
  export function verify(folder: string, demand: PackDemand): Promise<PackVerdict>
  /** Verifies the pack in `folder` against what is known from elsewhere. */
  export function verifySync(folder: string, demand: PackDemand): PackVerdict
}

export declare namespace provenance {
  /** A build that is what was demanded. Made only by checking. */
  export class Checked {
    /** The build, the digest of the payload, and findings, which are worth knowing and decide nothing. */
    toJSON(): CheckedBuild
    /** The predicate of a verification summary (SLSA VSA) that says so. `policy` has a `uri`. */
    summary(verifierId: string, resourceUri: string, policy: ResourceDescriptor, levels: Array<string>, at?: Time): Record<string, unknown>
  }
  /** Proof that two builds of one commit made the same artifacts. Made only by comparing them. */
  export class Reproduction {
    /** The digests of the artifacts, the ids of the two builders, and the digests of the two payloads. */
    toJSON(): { artifacts: string[]; builders: [string, string]; provenance: [string, string] }
    /** As `Checked.summary`, with the property that the artifacts were reproduced. */
    summary(verifierId: string, resourceUri: string, policy: ResourceDescriptor, levels: Array<string>, at?: Time): Record<string, unknown>
  }
  /** The build that a Statement tells of, with nothing demanded. */
  export function build(statement: Statement): Build
  /** Checks the build that a verified record tells of (SLSA provenance v1, v0.2 or v0.1). */
  export function check(record: Verified, expectation: ProvenanceExpectation): provenance.Checked
  /** Checks a verified verification summary (SLSA VSA), and gives its predicate. */
  export function checkSummary(record: Verified, expectation: SummaryExpectation): Record<string, unknown>
  /** Checks that a verified SCAI record claims `BUILD_ISOLATED` about an artifact of this build: returns, or throws. */
  export function isolated(provenance: Verified, claim: Verified): void
  /** Checks that two verified provenances tell of two builds of one commit that made the same artifacts. */
  export function reproduced(first: Verified, second: Verified): provenance.Reproduction
}

export declare namespace sbom {
  /** Converts an SBOM to `cyclonedx` or `spdx`: gives the document as text, and what was lost. */
  export function convert(document: Uint8Array, to: string, timestamp?: string | undefined | null): Promise<SbomMade>
  /** Converts an SBOM to `cyclonedx` or `spdx`: gives the document as text, and what was lost. */
  export function convertSync(document: Uint8Array, to: string, timestamp?: string | undefined | null): SbomMade
  /** What changed from one SBOM to another. */
  export function diff(before: Uint8Array, after: Uint8Array): Promise<SbomDifference>
  /** What changed from one SBOM to another. */
  export function diffSync(before: Uint8Array, after: Uint8Array): SbomDifference
  /** Makes one CycloneDX 1.6 BOM of all lock files below `root`. */
  export function generate(root: string, options?: GenerateOptions): Promise<Record<string, unknown>>
  /** Makes one CycloneDX 1.6 BOM of a container image: an OCI image layout, or what `docker save` wrote. */
  export function generateImage(path: string, options?: ImageOptions): Promise<Record<string, unknown>>
  /** Makes one CycloneDX 1.6 BOM of a container image: an OCI image layout, or what `docker save` wrote. */
  export function generateImageSync(path: string, options?: ImageOptions): Record<string, unknown>
  /** Makes one CycloneDX 1.6 BOM of all lock files below `root`. */
  export function generateSync(root: string, options?: GenerateOptions): Record<string, unknown>
  /** The components of an SBOM whose licences are not allowed. */
  export function licenses(document: Uint8Array, policy: LicensePolicy): Promise<LicenseFault[]>
  /** The components of an SBOM whose licences are not allowed. */
  export function licensesSync(document: Uint8Array, policy: LicensePolicy): LicenseFault[]
  /** Makes one CycloneDX document of several: gives it as text, and what was lost. */
  export function merge(documents: Uint8Array[], options: SbomMergeOptions): Promise<SbomMade>
  /** Makes one CycloneDX document of several: gives it as text, and what was lost. */
  export function mergeSync(documents: Uint8Array[], options: SbomMergeOptions): SbomMade
  /** The components of an SBOM that meet all that is asked: those found, and those that are undecided. */
  export function query(document: Uint8Array, query: SbomQuery): Promise<SbomQueryResult>
  /** The components of an SBOM that meet all that is asked: those found, and those that are undecided. */
  export function querySync(document: Uint8Array, query: SbomQuery): SbomQueryResult
  /** What an SBOM holds, in one view for all formats. */
  export function read(document: Uint8Array): Promise<Record<string, unknown>>
  /** What an SBOM holds, in one view for all formats. */
  export function readSync(document: Uint8Array): Record<string, unknown>
  /** The statements of a VEX document: OpenVEX, CSAF or CycloneDX. */
  export function readVex(document: Uint8Array): Promise<VexStatement[]>
  /** The statements of a VEX document: OpenVEX, CSAF or CycloneDX. */
  export function readVexSync(document: Uint8Array): VexStatement[]
  /** Which of the minimum elements of NTIA and CISA an SBOM lacks. */
  export function score(document: Uint8Array): Promise<SbomScore>
  /** Which of the minimum elements of NTIA and CISA an SBOM lacks. */
  export function scoreSync(document: Uint8Array): SbomScore
  /** Every fault of an SBOM, CycloneDX 1.4 to 1.7 or SPDX 2.3 or 3.0.1, the first 100 at most; none means valid. */
  export function validate(document: Uint8Array): Promise<SbomFinding[]>
  /** Every fault of an SBOM, CycloneDX 1.4 to 1.7 or SPDX 2.3 or 3.0.1, the first 100 at most; none means valid. */
  export function validateSync(document: Uint8Array): SbomFinding[]
  /** What VEX documents say last of a vulnerability of a product, or of a part of it; null if nothing. */
  export function vexStatus(documents: Uint8Array[], vulnerability: string, product: string, component?: string | undefined | null): Promise<VexStatement | null>
  /** What VEX documents say last of a vulnerability of a product, or of a part of it; null if nothing. */
  export function vexStatusSync(documents: Uint8Array[], vulnerability: string, product: string, component?: string | undefined | null): VexStatement | null
}
