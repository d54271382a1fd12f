//! Identity tokens that a CI system or a cloud gives to the job that runs in it.

use std::io::Read as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use reqwest::{Client, RequestBuilder, Url};
use serde::Deserialize;
use zeroize::Zeroizing;

use super::http::{below, block_on, client, send, service_url, wrong_answer};
use super::token::Token;
use crate::ci::Environment;
use crate::error::{Error, ErrorKind, Result};
use crate::limits;

/// A token that names this variable holds is taken first, wherever the job runs. GitLab puts one there (`id_tokens`).
pub const TOKEN_VARIABLE: &str = "SIGSTORE_ID_TOKEN";

/// The token for `audience` that the job's surroundings have, as its `environment` describes them: the variable [`TOKEN_VARIABLE`], then GitHub Actions, Buildkite, Google Cloud. `None` if there are none of these.
///
/// GitHub is asked over the network, Buildkite by its agent's command, Google at the metadata server of the machine.
///
/// # Errors
/// `PERMISSION_DENIED` if a CI system is there and gives this job no token; `SIGNER_FAILED` or `SERVICE_UNAVAILABLE` if
/// it refuses or does not answer; those of [`Token::parse`].
pub fn ambient_token(environment: &Environment, audience: &str) -> Result<Option<Token>> {
    let has = |name: &str| environment.value(name);
    if let Some(token) = has(TOKEN_VARIABLE) {
        return Token::parse(token).map(Some);
    }
    if has("GITHUB_ACTIONS") == Some("true") {
        return github(has, audience).map(Some);
    }
    if has("GITLAB_CI") == Some("true") {
        return Err(not_permitted(
            "GitLab",
            TOKEN_VARIABLE,
            "write `id_tokens: { SIGSTORE_ID_TOKEN: { aud: sigstore } }` into the job",
        ));
    }
    if has("BUILDKITE") == Some("true") {
        return buildkite(environment, audience).map(Some);
    }
    if on_google(has) {
        return google(has, audience).map(Some);
    }
    Ok(None)
}

const GITHUB: &str = "token service of GitHub Actions";

/// GitHub Actions: "Updating your actions for OIDC" of its documentation.
fn github<'a>(has: impl Fn(&str) -> Option<&'a str>, audience: &str) -> Result<Token> {
    let demanded = |name: &'static str| {
        has(name)
            .ok_or_else(|| not_permitted("GitHub Actions", name, "write `permissions: id-token: write` into the job"))
    };
    let mut url = service_url(GITHUB, demanded("ACTIONS_ID_TOKEN_REQUEST_URL")?)?;
    let bearer = demanded("ACTIONS_ID_TOKEN_REQUEST_TOKEN")?;
    url.query_pairs_mut().append_pair("audience", audience);
    #[derive(Deserialize)]
    struct Answer {
        value: String,
    }
    token_of(GITHUB, bearer, |client| client.get(url).bearer_auth(bearer), |answer: Answer| answer.value)
}

/// Buildkite: `buildkite-agent oidc request-token` of its documentation.
fn buildkite(environment: &Environment, audience: &str) -> Result<Token> {
    const AGENT: &str = "buildkite-agent";
    let failed = |why: String| {
        Error::new(
            ErrorKind::SignerFailed,
            format!("`{AGENT} oidc request-token` gave no token: {why}; check that the job may ask its agent"),
        )
        .with("command", AGENT)
    };
    let mut child = Command::new(AGENT)
        .args(["oidc", "request-token", "--audience", audience])
        .env_clear()
        .envs(environment.iter())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        // what the agent has to say goes to the log of the job, not through our errors
        .stderr(Stdio::inherit())
        .spawn()
        .map_err(|e| failed(e.to_string()).caused_by(e))?;
    // a token fits into a pipe; an agent that writes more than that waits, and is ended
    let status = wait(&mut child).map_err(|e| failed(e.to_string()).caused_by(e))?;
    let status = status.ok_or_else(|| failed("it did not end in time".to_owned()))?;
    if !status.success() {
        return Err(failed(format!("it ended with {status}")));
    }
    let mut text = Zeroizing::new(String::new());
    let read = child.stdout.take().map(|out| out.take(limits::TOKEN_BYTES as u64 + 1).read_to_string(&mut text));
    match read {
        Some(Ok(_)) => Token::parse(&text),
        _ => Err(failed("what it wrote is no text".to_owned())),
    }
}

/// Waits for a command for as long as for a service, then ends it.
fn wait(child: &mut Child) -> std::io::Result<Option<std::process::ExitStatus>> {
    const STEP: u64 = 20;
    for _ in 0..limits::SERVICE_MILLIS / STEP {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        std::thread::sleep(Duration::from_millis(STEP));
    }
    child.kill()?;
    child.wait()?;
    Ok(None)
}

const METADATA: &str = "metadata server of Google Cloud";
const IAM: &str = "credentials service of Google Cloud";

fn on_google<'a>(has: impl Fn(&str) -> Option<&'a str>) -> bool {
    // Cloud Run says it in the environment, other machines in their firmware
    let named = ["GCE_METADATA_HOST", "GOOGLE_SERVICE_ACCOUNT_NAME", "K_SERVICE", "CLOUD_RUN_JOB"];
    let firmware = || limits::read_file("product name", Path::new("/sys/class/dmi/id/product_name"), 4096);
    named.iter().any(|name| has(name).is_some()) || firmware().is_ok_and(|name| name.starts_with(b"Google"))
}

/// Google Cloud: the identity of the machine, or of the account that `GOOGLE_SERVICE_ACCOUNT_NAME` says, for which the
/// machine's may ask ("Get an ID token" of its documentation).
fn google<'a>(has: impl Fn(&str) -> Option<&'a str>, audience: &str) -> Result<Token> {
    // this server speaks no TLS: it is a part of the machine, and asks for a header that no browser sends
    let host = has("GCE_METADATA_HOST").unwrap_or("metadata.google.internal");
    let account = format!("http://{host}/computeMetadata/v1/instance/service-accounts/default/");
    let account = Url::parse(&account).map_err(|e| {
        Error::new(ErrorKind::Malformed, format!("`{host}` is no host; correct `GCE_METADATA_HOST`")).caused_by(e)
    })?;
    let ask = |what: &str, query: &[(&str, &str)]| {
        let mut url = below(&account, what);
        url.query_pairs_mut().extend_pairs(query);
        block_on(async { send(METADATA, client()?.get(url).header("Metadata-Flavor", "Google"), "").await })
    };
    let Some(name) = has("GOOGLE_SERVICE_ACCOUNT_NAME") else {
        let text = ask("identity", &[("audience", audience), ("format", "full")])?;
        return Token::parse(std::str::from_utf8(&text).map_err(|_| wrong_answer(METADATA, "it is not text"))?);
    };
    #[derive(Deserialize)]
    struct Access {
        access_token: String,
    }
    #[derive(Deserialize)]
    struct Answer {
        token: String,
    }
    let scope = "https://www.googleapis.com/auth/cloud-platform";
    let access = ask("token", &[("scopes", scope)])?;
    let access: Access =
        serde_json::from_slice(&access).map_err(|_| wrong_answer(METADATA, "there is no token in it"))?;
    let access = Zeroizing::new(access.access_token);
    let iam = has("CLOUDSDK_API_ENDPOINT_OVERRIDES_IAMCREDENTIALS").unwrap_or("https://iamcredentials.googleapis.com/");
    let url = below(&service_url(IAM, iam)?, &format!("v1/projects/-/serviceAccounts/{name}:generateIdToken"));
    let body = serde_json::json!({ "audience": audience, "includeEmail": true });
    token_of(
        IAM,
        &access,
        |client| client.post(url).bearer_auth(access.as_str()).json(&body),
        |answer: Answer| answer.token,
    )
}

/// Sends a request, and takes the token out of the answer, which is never quoted.
fn token_of<T: serde::de::DeserializeOwned>(
    service: &str,
    secret: &str,
    request: impl FnOnce(&Client) -> RequestBuilder + Send,
    token: impl FnOnce(T) -> String,
) -> Result<Token> {
    let answer = block_on(async { send(service, request(&client()?), secret).await })?;
    let answer = serde_json::from_slice(&answer).map_err(|_| wrong_answer(service, "there is no token in it"))?;
    Token::parse(&Zeroizing::new(token(answer)))
}

fn not_permitted(system: &str, variable: &str, hint: &str) -> Error {
    Error::new(
        ErrorKind::PermissionDenied,
        format!("{system} gives this job no identity token: `{variable}` is not set; {hint}"),
    )
    .with("variable", variable)
}
