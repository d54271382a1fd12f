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

