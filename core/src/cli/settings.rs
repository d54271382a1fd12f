//! Settings: from `sealwright.toml`, then `SEALWRIGHT_*`, then flags; each later one wins.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};

use clap::Args;
use serde::Deserialize;
use zeroize::Zeroizing;

use crate::address::shown;
use crate::encryption::{KeyEncryptionKey, open_key_encryption_key};
use crate::error::{Error, ErrorKind, Result};
use crate::key::{self, PrivateKey, PublicKey, read_public};
use crate::ledger::{LogSource, Place, Schedule};
use crate::limits;
use crate::opening::is_address;
use crate::predicate::{DataClass, Environment, EnvironmentClass};
use crate::signer::{self, Access, Secret, Signer, VaultAccess, is_key_file};
use crate::timestamp::Timestamp;

const FILE: &str = "sealwright.toml";

/// Options of every command.
#[derive(Args)]
pub(crate) struct Global {
    /// Answer in JSON.
    #[arg(long, global = true)]
    json: bool,
    /// The ledger: its folder or https address, or a file in TOML that describes
    /// its bucket [default: .sealwright/ledger].
    #[arg(long, global = true, value_name = "PLACE")]
    ledger: Option<PathBuf>,
    /// Folder that remembers the ledgers seen so far
    /// [default: ~/.local/state/sealwright].
    #[arg(long, global = true, value_name = "DIR")]
    state: Option<PathBuf>,
    /// File with the passphrase of the private keys.
    #[arg(long, global = true, value_name = "FILE")]
    passphrase_file: Option<PathBuf>,
}

/// A signer, wherever its key is.
pub(crate) type OpenSigner = Box<dyn Signer + Send + Sync>;

/// What a command is told beside its own options.
pub(crate) struct Settings {
    file: SettingsFile,
    /// Folder that relative paths of `file` begin at.
    base: PathBuf,
    ledger: Option<PathBuf>,
    state: Option<PathBuf>,
    passphrase_file: Option<PathBuf>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct SettingsFile {
    ledger: Option<PathBuf>,
    state: Option<PathBuf>,
    key: Option<PathBuf>,
    log_key: Option<PathBuf>,
    passphrase_file: Option<PathBuf>,
    /// Key that the ledger is encrypted with.
    encryption_key: Option<PathBuf>,
    /// Folder that bodies are moved to.
    archive: Option<PathBuf>,
    /// The retention schedule.
    retention: Option<PathBuf>,
    submitter: Option<String>,
    /// What is shown to a ledger behind an address.
    #[cfg_attr(not(feature = "remote"), expect(dead_code, reason = "one file serves commands of all features"))]
    service: Option<ServiceSettings>,
    /// Keys that sign, by role, to be named with `--key`: files or URIs.
    #[serde(default)]
    keys: BTreeMap<String, PathBuf>,
    /// URLs of witnesses, by the names of their keys.
    #[serde(default)]
    #[cfg_attr(not(feature = "witness"), expect(dead_code, reason = "read everywhere, used where HTTP is spoken"))]
    witnesses: BTreeMap<String, String>,
    #[serde(default)]
    environments: BTreeMap<String, EnvironmentSettings>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct EnvironmentSettings {
    id: Option<String>,
    class: Option<EnvironmentClass>,
    region: Option<String>,
    data_class: Option<DataClass>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[cfg_attr(not(feature = "remote"), expect(dead_code, reason = "one file serves commands of all features"))]
struct ServiceSettings {
    token_file: Option<PathBuf>,
    certificate: Option<PathBuf>,
    key: Option<PathBuf>,
    authorities: Option<PathBuf>,
}

/// The present.
pub(crate) fn clock() -> Result<Timestamp> {
    #[expect(clippy::disallowed_methods, reason = "this is where the command line reads the clock")]
    let now = std::time::SystemTime::now();
    let since = now.duration_since(std::time::UNIX_EPOCH).map_or(0, |d| d.as_millis());
    Timestamp::from_unix_millis(i64::try_from(since).unwrap_or(i64::MAX))
}

impl Settings {
    pub(crate) fn load(global: &Global) -> Result<Self> {
        let here = std::env::current_dir().map_err(|e| Error::io("find", Path::new("."), e))?;
        let (file, base) = match here.ancestors().find(|folder| folder.join(FILE).is_file()) {
            Some(folder) => (read(&folder.join(FILE))?, folder.to_path_buf()),
            None => (SettingsFile::default(), PathBuf::new()),
        };
        Ok(Self {
            file,
            base,
            ledger: global.ledger.clone(),
            state: global.state.clone(),
            passphrase_file: global.passphrase_file.clone(),
        })
    }

    /// The present.
    pub(crate) fn now(&self) -> Result<Timestamp> {
        clock()
    }

    /// Where Cargo keeps unpacked sources, which say their licences.
    pub(crate) fn cargo_home(&self) -> Option<PathBuf> {
        #[expect(clippy::disallowed_methods, reason = "this is where the command line reads the environment")]
        let variable = |name: &str| std::env::var_os(name).map(PathBuf::from);
        variable("CARGO_HOME").or_else(|| variable("HOME").map(|home| home.join(".cargo"))).filter(|p| p.is_dir())
    }

    /// Where `docker login` keeps credentials.
    #[cfg(feature = "oci")]
    pub(crate) fn docker_config(&self) -> Option<PathBuf> {
        let folder = || environment("HOME").map(|home| PathBuf::from(home).join(".docker"));
        Some(environment("DOCKER_CONFIG").map(PathBuf::from).or_else(folder)?.join("config.json"))
    }

    /// The folder of the ledger, or the file that describes its bucket.
    pub(crate) fn ledger(&self) -> PathBuf {
        let chosen = self.path(self.ledger.as_ref(), "SEALWRIGHT_LEDGER", self.file.ledger.as_ref());
        chosen.unwrap_or_else(|| self.base.join(".sealwright/ledger"))
    }

    /// Where the ledger is.
    pub(crate) fn place(&self) -> Result<Place> {
        self.place_of(&self.ledger())
    }

    /// A place by its name: a folder, or a file that describes a bucket, whose credentials the environment has.
    pub(crate) fn place_of(&self, path: &Path) -> Result<Place> {
        if let Some(address) = path.to_str().filter(|text| is_address(text)) {
            return Err(Error::new(
                ErrorKind::ApiMisuse,
                format!("`{}` is an address, and this is done where the ledger lies; name its place", shown(address)),
            ));
        }
        Place::find(path, &|name| environment(name)?.into_string().ok().map(Zeroizing::new))
    }

    /// The address of the ledger, if it is behind one.
    pub(crate) fn ledger_address(&self) -> Option<String> {
        let chosen = self.ledger.clone().or_else(|| environment("SEALWRIGHT_LEDGER").map(PathBuf::from));
        let chosen = chosen.or_else(|| self.file.ledger.clone())?;
        chosen.to_str().filter(|text| is_address(text)).map(str::to_owned)
    }

    /// A log to read: at a URL, in a folder, or in a bucket that a file describes.
    pub(crate) fn log_source(&self, place: &str) -> Result<LogSource> {
        if is_address(place) { LogSource::open(place) } else { LogSource::at(&self.place_of(Path::new(place))?) }
    }

    /// What is shown to a ledger behind an address: a token, a certificate.
    #[cfg(feature = "remote")]
    pub(crate) fn access(&self) -> Result<crate::remote::Access> {
        let own = |name: &str| environment(name).map(PathBuf::from);
        let of = |file: fn(&ServiceSettings) -> &Option<PathBuf>| {
            self.file.service.as_ref().and_then(|s| file(s).as_ref()).map(|path| self.base.join(path))
        };
        let mut access = crate::remote::Access::anonymous();
        if let Some(token) = text_of_environment("SEALWRIGHT_TOKEN")? {
            access = access.with_token(&token)?;
        } else if let Some(path) = own("SEALWRIGHT_TOKEN_FILE").or_else(|| of(|s| &s.token_file)) {
            access = access.with_token_file(&path)?;
        }
        let certificate = own("SEALWRIGHT_CLIENT_CERTIFICATE").or_else(|| of(|s| &s.certificate));
        let key = own("SEALWRIGHT_CLIENT_KEY").or_else(|| of(|s| &s.key));
        access = match (certificate, key) {
            (Some(certificate), Some(key)) => access.with_certificate(&certificate, &key)?,
            (None, None) => access,
            _ => {
                return Err(Error::new(
                    ErrorKind::ApiMisuse,
                    "a client certificate and its key go together; name both, or neither",
                ));
            }
        };
        match own("SEALWRIGHT_AUTHORITIES").or_else(|| of(|s| &s.authorities)) {
            Some(authorities) => access.with_authorities(&authorities),
            None => Ok(access),
        }
    }

    /// The folder that remembers what was seen of ledgers.
    pub(crate) fn state(&self) -> Result<PathBuf> {
        let chosen = self.path(self.state.as_ref(), "SEALWRIGHT_STATE", self.file.state.as_ref());
        let xdg = || environment("XDG_STATE_HOME").map(PathBuf::from).filter(|p| p.is_absolute());
        let home = || environment("HOME").map(|home| PathBuf::from(home).join(".local/state"));
        chosen.or_else(|| Some(xdg().or_else(home)?.join("sealwright"))).ok_or_else(|| {
            Error::new(ErrorKind::ApiMisuse, "there is no home folder to remember ledgers in; name one with `--state`")
        })
    }

    /// The credential of who submits: the one named, else that of the settings.
    pub(crate) fn submitter(&self, named: Option<&str>) -> Option<String> {
        let of_environment = || environment("SEALWRIGHT_SUBMITTER").and_then(|name| name.into_string().ok());
        named.map(str::to_owned).or_else(of_environment).or_else(|| self.file.submitter.clone())
    }

    /// The signer named, else the one of the settings.
    pub(crate) fn key(&self, named: Option<&Path>) -> Result<OpenSigner> {
        let reference = self.reference(named)?;
        self.with_access(&reference, signer::open)
    }

    /// The key that the ledger is encrypted with: the one named, else that of the settings, if there is one.
    pub(crate) fn encryption_key(&self, named: Option<&Path>) -> Result<Option<Box<dyn KeyEncryptionKey>>> {
        self.encryption_key_reference(named).map(|reference| self.key_encryption_key(&reference)).transpose()
    }

    fn encryption_key_reference(&self, named: Option<&Path>) -> Option<PathBuf> {
        let of_file = || self.file.encryption_key.as_ref().map(|key| self.of_settings(key));
        let named = named.map(Path::to_path_buf);
        named.or_else(|| environment("SEALWRIGHT_ENCRYPTION_KEY").map(PathBuf::from)).or_else(of_file)
    }

    /// Whether the ledger is said to be encrypted.
    #[cfg(feature = "remote")]
    pub(crate) fn names_encryption_key(&self, named: Option<&Path>) -> bool {
        self.encryption_key_reference(named).is_some()
    }

    /// The key-encryption key that this names.
    pub(crate) fn key_encryption_key(&self, reference: &Path) -> Result<Box<dyn KeyEncryptionKey>> {
        self.with_access(reference, open_key_encryption_key)
    }

    /// The folder that bodies are moved to, if there is one.
    pub(crate) fn archive(&self, named: Option<&Path>) -> Option<PathBuf> {
        self.path(named, "SEALWRIGHT_ARCHIVE", self.file.archive.as_ref())
    }

    /// The retention schedule.
    pub(crate) fn schedule(&self, named: Option<&Path>) -> Result<Schedule> {
        self.schedule_if_named(named)?.ok_or_else(|| {
            Error::new(
                ErrorKind::ApiMisuse,
                format!("nothing says how long records are kept; name a file with `--schedule`, or as `retention` in `{FILE}`"),
            )
        })
    }

    /// The retention schedule, if one is named.
    pub(crate) fn schedule_if_named(&self, named: Option<&Path>) -> Result<Option<Schedule>> {
        let path = self.path(named, "SEALWRIGHT_RETENTION", self.file.retention.as_ref());
        let Some(path) = path else { return Ok(None) };
        let bytes = limits::read_file("retention schedule", &path, limits::SCHEDULE_BYTES as u64)?;
        Schedule::parse(&bytes).map(Some).map_err(|e| e.while_doing(format_args!("`{}`", path.display())))
    }

    fn with_access<T>(&self, reference: &Path, open: impl FnOnce(&str, &Access<'_>) -> Result<T>) -> Result<T> {
        let reference = reference.to_str().ok_or_else(|| {
            Error::new(ErrorKind::Malformed, "the name of the key is not UTF-8; give its file another name")
        })?;
        let secrets = |secret: Secret<'_>| match secret {
            Secret::Passphrase(path) => self.passphrase(path),
            Secret::Pin(token) => pin(token),
        };
        let mut access = Access::default().with_secrets(&secrets);
        if let Some(vault) = vault()? {
            access = access.with_vault(vault);
        }
        open(reference, &access)
    }

    /// The public half of the key named: of a public key file, or of a signer.
    pub(crate) fn public_key(&self, named: &Path) -> Result<PublicKey> {
        let reference = self.reference(Some(named))?;
        if reference.to_str().is_none_or(is_key_file) {
            // a file that is no public key is a private one, or is told what is wrong with it as one
            match read_public(&reference) {
                Err(e) if e.kind() == ErrorKind::Malformed => {}
                read => return read,
            }
        }
        Ok(self.key(Some(named))?.public_key().clone())
    }

    /// The command that signs with the key of which the public half is named.
    pub(crate) fn signer_command(&self, command: &str, public: Option<&Path>) -> Result<OpenSigner> {
        let access = Access::default().with_public_key(read_public(&self.reference(public)?)?);
        signer::open(&format!("command:{command}"), &access)
    }

    /// URLs of witnesses, by the names of their keys.
    #[cfg(feature = "witness")]
    pub(crate) fn witnesses(&self) -> BTreeMap<String, String> {
        self.file.witnesses.clone()
    }

    /// The private key of the log.
    pub(crate) fn log_key(&self, named: Option<&Path>) -> Result<PrivateKey> {
        let path = self.named_key(named, "SEALWRIGHT_LOG_KEY", self.file.log_key.as_ref(), "--log-key")?;
        self.private_key(&path)
    }

    /// A key file, opened with its passphrase.
    pub(crate) fn private_key(&self, path: &Path) -> Result<PrivateKey> {
        match key::read_private(path, None) {
            Err(e) if e.kind() == ErrorKind::WrongPassphrase => match self.passphrase(path)? {
                Some(passphrase) => key::read_private(path, Some(&passphrase)),
                None => Err(e),
            },
            read => read,
        }
    }

    fn reference(&self, named: Option<&Path>) -> Result<PathBuf> {
        self.named_key(named, "SEALWRIGHT_KEY", self.file.key.as_ref(), "--key")
    }

    fn named_key(
        &self,
        named: Option<&Path>,
        variable: &str,
        of_file: Option<&PathBuf>,
        flag: &str,
    ) -> Result<PathBuf> {
        let role = named.and_then(Path::to_str).and_then(|name| self.file.keys.get(name));
        let reference = match (role, named) {
            (Some(of_role), _) => Some(self.of_settings(of_role)),
            (None, Some(named)) => Some(named.to_path_buf()),
            (None, None) => environment(variable).map(PathBuf::from).or_else(|| of_file.map(|f| self.of_settings(f))),
        };
        reference.ok_or_else(|| {
            Error::new(ErrorKind::ApiMisuse, format!("no private key is named; name its file with `{flag}`"))
        })
    }

    /// A key of the settings file: a path begins at its folder, a URI is one.
    fn of_settings(&self, reference: &Path) -> PathBuf {
        if reference.to_str().is_none_or(is_key_file) { self.base.join(reference) } else { reference.to_path_buf() }
    }

    /// The passphrase of the settings, or what somebody at a terminal says it is.
    fn passphrase(&self, path: &Path) -> Result<Option<Zeroizing<String>>> {
        match self.given_passphrase()? {
            None if std::io::stdin().is_terminal() => ask(&format!("Passphrase of {}: ", path.display())).map(Some),
            given => Ok(given),
        }
    }

    /// A passphrase for a new key; at a terminal it is asked for twice.
    pub(crate) fn new_passphrase(&self) -> Result<Zeroizing<String>> {
        if let Some(given) = self.given_passphrase()? {
            return Ok(given);
        }
        if !std::io::stdin().is_terminal() {
            return Err(Error::new(
                ErrorKind::ApiMisuse,
                "no passphrase for the new key; set `SEALWRIGHT_PASSPHRASE`, name a `--passphrase-file`, or say \
                 `--no-passphrase`",
            ));
        }
        let first = ask("Passphrase for the new key: ")?;
        if *ask("The same once more: ")? != *first {
            return Err(Error::new(ErrorKind::WrongPassphrase, "the two passphrases differ; run it again"));
        }
        Ok(first)
    }

    fn given_passphrase(&self) -> Result<Option<Zeroizing<String>>> {
        let not_text = || Error::new(ErrorKind::Malformed, "the passphrase is not UTF-8; choose another one");
        if self.passphrase_file.is_none()
            && let Some(given) = environment("SEALWRIGHT_PASSPHRASE")
        {
            return given.into_string().map(|p| Some(Zeroizing::new(p))).map_err(|_| not_text());
        }
        let file =
            self.path(self.passphrase_file.as_ref(), "SEALWRIGHT_PASSPHRASE_FILE", self.file.passphrase_file.as_ref());
        let Some(file) = file else { return Ok(None) };
        let bytes = Zeroizing::new(limits::read_file("passphrase file", &file, limits::KEY_BYTES)?);
        let text = std::str::from_utf8(&bytes).map_err(|_| not_text())?;
        let line = text.strip_suffix('\n').unwrap_or(text);
        Ok(Some(Zeroizing::new(line.strip_suffix('\r').unwrap_or(line).to_owned())))
    }

    /// An environment by its name: one of the settings, or one named after its class.
    pub(crate) fn environment(&self, name: &str, id: Option<&str>) -> Result<Environment> {
        let known = self.file.environments.get(name);
        let class = match known.and_then(|k| k.class) {
            Some(class) => class,
            None => name.parse().map_err(|_| {
                Error::new(
                    ErrorKind::ApiMisuse,
                    format!(
                        "the environment `{}` is not known; name dev, test, staging or prod, or give it a class in \
                         `{FILE}`",
                        name.escape_debug()
                    ),
                )
            })?,
        };
        let id = id.or(known.and_then(|k| k.id.as_deref()));
        let id = id.map_or_else(|| format!("urn:sealwright:environment:{name}"), str::to_owned);
        let mut environment = Environment::new(id, class);
        environment.name = (name != class.name()).then(|| name.to_owned());
        environment.region = known.and_then(|k| k.region.clone());
        environment.data_class = known.and_then(|k| k.data_class);
        Ok(environment)
    }

    fn path(&self, flag: Option<impl AsRef<Path>>, variable: &str, file: Option<&PathBuf>) -> Option<PathBuf> {
        flag.map(|f| f.as_ref().to_path_buf())
            .or_else(|| environment(variable).map(PathBuf::from))
            .or_else(|| file.map(|f| self.base.join(f)))
    }
}

/// A folder for what can't lie in a bucket or behind an address; `why` says what that is, and what to do.
pub(crate) fn folder_for(path: PathBuf, why: &str) -> Result<PathBuf> {
    let (kind, shown) = match path.to_str() {
        Some(address) if is_address(address) => (ErrorKind::ApiMisuse, shown(address)),
        _ if Place::describes(&path) => (ErrorKind::Unsupported, path.display().to_string()),
        _ => return Ok(path),
    };
    Err(Error::new(kind, format!("`{shown}` is no folder, and {why}")))
}

/// The PIN of a token: from the environment, or from somebody at a terminal.
fn pin(token: &str) -> Result<Option<Zeroizing<String>>> {
    match text_of_environment("SEALWRIGHT_PIN")? {
        None if std::io::stdin().is_terminal() => {
            ask(&format!("PIN of the token {}: ", token.escape_debug())).map(Some)
        }
        given => Ok(given),
    }
}

/// Where Vault is, by the variables of its own tools, and cosign's for its mount.
fn vault() -> Result<Option<VaultAccess>> {
    let (Some(address), Some(token)) = (text_of_environment("VAULT_ADDR")?, text_of_environment("VAULT_TOKEN")?) else {
        return Ok(None);
    };
    let vault = VaultAccess::new(address.as_str(), token.as_str());
    Ok(Some(match text_of_environment("TRANSIT_SECRET_ENGINE_PATH")? {
        Some(mount) => vault.with_mount(mount.as_str()),
        None => vault,
    }))
}

fn text_of_environment(name: &str) -> Result<Option<Zeroizing<String>>> {
    let text = |value: OsString| {
        value.into_string().map(Zeroizing::new).map_err(|_| {
            Error::new(ErrorKind::Malformed, format!("the variable `{name}` is not UTF-8; set it to plain text"))
        })
    };
    environment(name).map(text).transpose()
}

fn read(path: &Path) -> Result<SettingsFile> {
    let bytes = limits::read_file("settings", path, limits::KEY_BYTES)?;
    let malformed = |why: String| {
        Error::new(ErrorKind::Malformed, format!("the settings `{}` can't be read: {why}", path.display()))
            .with("path", path.display())
    };
    let text = std::str::from_utf8(&bytes).map_err(|_| malformed("they are not UTF-8".to_owned()))?;
    toml::from_str(text).map_err(|e| malformed(e.message().to_owned()))
}

/// A variable of the environment, unless it is empty.
fn environment(name: &str) -> Option<OsString> {
    #[expect(clippy::disallowed_methods, reason = "this is where the command line reads the environment")]
    std::env::var_os(name).filter(|value| !value.is_empty())
}

fn ask(prompt: &str) -> Result<Zeroizing<String>> {
    rpassword::prompt_password(prompt)
        .map(Zeroizing::new)
        .map_err(|e| Error::new(ErrorKind::Io, format!("could not ask for the passphrase: {e}")).caused_by(e))
}
