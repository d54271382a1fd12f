//! Requests of our own to S3, signed by `object_store`.

use bytes::Bytes;
use object_store::path::Path;
use object_store::signer::{HeaderMap, Method, SignedUrlOptions, Signer as _};
use quick_xml::Reader;
use quick_xml::events::Event;

use super::objects::{Objects, pause, told};
use crate::error::{Error, ErrorKind, Result};
use crate::limits;

/// What a service answered.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    /// ETag of what was written.
    pub(super) tag: Option<String>,
    /// The date until which what was asked for is locked.
    pub(super) locked_until: Option<String>,
    /// S3's own code of a refusal, or nothing.
    pub(super) code: String,
    body: Vec<u8>,
}

/// How long a signature is good for: longer than any request takes to begin.
const SIGNED_FOR: std::time::Duration = std::time::Duration::from_secs(300);
/// Pages of one list of versions.
const PAGES: usize = 1000;

impl Answer {
    pub(super) fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// Whether the same request may fare better later.
    fn may_pass(&self) -> bool {
        matches!(self.status, 408 | 409 | 429 | 500..=599) && self.status != 501
    }
}

impl Objects {
    /// Sends a request, again after what may pass. Headers are all signed.
    pub(super) async fn send(
        &self,
        method: Method,
        path: Path,
        query: Vec<(String, String)>,
        headers: HeaderMap,
        body: Bytes,
    ) -> Result<Answer> {
        let mut tries = 0;
        loop {
            let answer = self.send_once(&method, &path, &query, &headers, &body).await;
            let again = match &answer {
                Ok(answer) => answer.may_pass(),
                Err(e) => e.kind() == ErrorKind::ServiceUnavailable,
            };
            if !again || tries >= self.inner.retries {
                return answer;
            }
            tries += 1;
            tokio::time::sleep(pause(tries)).await;
        }
    }

    async fn send_once(
        &self,
        method: &Method,
        path: &Path,
        query: &[(String, String)],
        headers: &HeaderMap,
        body: &Bytes,
    ) -> Result<Answer> {
        let mut options = SignedUrlOptions::new().with_query(query.iter().cloned());
        options.signed_headers.clone_from(headers);
        let url = self
            .inner
            .s3
            .signed_url_opts(method.clone(), path, SIGNED_FOR, &options)
            .await
            .map_err(|e| self.failed("sign a request for", path.as_ref(), e))?;
        // a large body takes its time: a megabyte a second is always waited for
        let patience = self.inner.timeout + std::time::Duration::from_secs(body.len() as u64 >> 20);
        let request =
            self.inner.http.request(method.clone(), url).headers(headers.clone()).timeout(patience).body(body.clone());
        let mut response = request.send().await.map_err(|e| self.unreachable(e))?;
        let status = response.status().as_u16();
        let told = |name: &str| response.headers().get(name).and_then(|told| told.to_str().ok()).map(str::to_owned);
        let (tag, locked_until) = (told("etag"), told("x-amz-object-lock-retain-until-date"));
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|e| self.unreachable(e))? {
            if body.len() + chunk.len() > limits::OBJECT_ANSWER_BYTES {
                let place = &self.inner.place;
                return Err(Error::new(ErrorKind::LimitExceeded, format!("the answer of `{place}` is too long")));
            }
            body.extend_from_slice(&chunk);
        }
        let code = if (200..300).contains(&status) { String::new() } else { code(&body) };
        Ok(Answer { status, tag, locked_until, code, body })
    }

    /// Whether the bucket keeps versions; it is taken to if we may not know.
    pub(super) async fn is_versioned(&self) -> Result<bool> {
        let query = vec![("versioning".to_owned(), String::new())];
        let answer = self.send(Method::GET, Path::from(""), query, HeaderMap::new(), Bytes::new()).await?;
        match answer.status {
            200..=299 => Ok(texts(&answer.body, &["Status"]).is_some_and(|found| !found.is_empty())),
            403 => Ok(true),
            // a service that knows no versions
            400 | 404 | 405 | 501 if answer.code != "NoSuchBucket" => Ok(false),
            _ => Err(self.refused("look at", "versioning", &answer)),
        }
    }

    /// Refuses a bucket that can't lock what the place says it must: it would be found out when an append was committed.
    pub(super) async fn check_lock(&self) -> Result<()> {
        if !self.locks() {
            return Ok(());
        }
        let check = || async {
            let query = vec![("object-lock".to_owned(), String::new())];
            let answer = self.send(Method::GET, Path::from(""), query, HeaderMap::new(), Bytes::new()).await?;
            let said = texts(&answer.body, &["ObjectLockEnabled"]).unwrap_or_default();
            match answer.status {
                200..=299 if said.iter().any(|(_, enabled)| enabled == "Enabled") => Ok(()),
                // who may not know finds out
                403 => Ok(()),
                200..=299 | 400 | 404 | 405 | 501 if answer.code != "NoSuchBucket" => Err(Error::new(
                    ErrorKind::Unsupported,
                    format!(
                        "the bucket of `{}` has no Object Lock, which `retain-days` asks for; make one with it, or leave \
                         `retain-days` out",
                        self.inner.place
                    ),
                )),
                _ => Err(self.refused("look at", "object-lock", &answer)),
            }
        };
        self.inner.lockable.get_or_try_init(check).await.copied()
    }

    /// Ids of all versions of an object, deletion markers among them.
    pub(super) async fn versions(&self, name: &str) -> Result<Vec<String>> {
        let key = self.key(name);
        let mut found = Vec::new();
        let mut from: Option<(String, String)> = None;
        for _ in 0..PAGES {
            let mut query = vec![("versions".to_owned(), String::new()), ("prefix".to_owned(), key.clone())];
            if let Some((key, version)) = from.take() {
                query.extend([("key-marker".to_owned(), key), ("version-id-marker".to_owned(), version)]);
            }
            let answer = self.send(Method::GET, Path::from(""), query, HeaderMap::new(), Bytes::new()).await?;
            if !answer.is_success() {
                return Err(self.refused("list the versions of", name, &answer));
            }
            let unreadable = || {
                let what = format!("the bucket `{}` gave a list of versions that can't be read", self.inner.place);
                Error::new(ErrorKind::ServiceUnavailable, what)
            };
            let texts =
                texts(&answer.body, &["Key", "VersionId", "IsTruncated", "NextKeyMarker", "NextVersionIdMarker"])
                    .ok_or_else(unreadable)?;
            let one = |name: &str| texts.iter().find(|(own, _)| *own == name).map(|(_, text)| text.clone());
            let mut of = None;
            for (element, text) in &texts {
                match element.as_str() {
                    "Key" => of = Some(text),
                    "VersionId" if of == Some(&key) => found.push(text.clone()),
                    _ => {}
                }
            }
            // names come in order, so what follows another name is not ours
            if one("IsTruncated").as_deref() != Some("true") || of.is_some_and(|last| *last > key) {
                return Ok(found);
            }
            from = Some((one("NextKeyMarker").ok_or_else(unreadable)?, one("NextVersionIdMarker").unwrap_or_default()));
        }
        let what = format!("`{name}` has too many versions to remove them all; have the bucket expire old ones");
        Err(Error::new(ErrorKind::LimitExceeded, what))
    }

    pub(super) fn refused(&self, what: &str, name: &str, answer: &Answer) -> Error {
        let place = &self.inner.place;
        let (kind, advice) = match (answer.status, answer.code.as_str()) {
            (401 | 403, _) if what == "remove" => {
                (ErrorKind::PermissionDenied, "it is locked until a date, or the credentials may not remove")
            }
            (401 | 403, _) => (ErrorKind::PermissionDenied, "give credentials that may"),
            (404, _) => (ErrorKind::NotFound, "see whether the bucket is there"),
            (507, _) | (_, "QuotaExceeded") => (ErrorKind::StorageFull, "make room in it"),
            (400, _) if what == "write" || what == "lock" => {
                (ErrorKind::ServiceUnavailable, "a lock needs a bucket that was made with Object Lock")
            }
            _ => (ErrorKind::ServiceUnavailable, "see whether the storage works, and try again"),
        };
        let code = if answer.code.is_empty() { String::new() } else { format!(" {}", answer.code) };
        let said = format!("{}{code}", answer.status);
        Error::new(kind, format!("could not {what} `{name}` in `{place}`: it answered {said}; {advice}"))
            .with("place", place)
            .with("status", answer.status)
    }

    fn unreachable(&self, e: reqwest::Error) -> Error {
        // the address holds a signature
        let e = e.without_url();
        let place = &self.inner.place;
        let what = format!("`{place}` could not be reached: {}; see whether it works, and try again", told(&e));
        Error::new(ErrorKind::ServiceUnavailable, what).with("place", place).caused_by(e)
    }
}

/// S3's code of an error.
fn code(body: &[u8]) -> String {
    let found = texts(body, &["Code"]).unwrap_or_default().into_iter().next();
    found.map(|(_, code)| code.chars().filter(char::is_ascii_alphanumeric).take(64).collect()).unwrap_or_default()
}

/// Texts of elements of these names, in their order; none if it is no XML.
fn texts(body: &[u8], names: &[&str]) -> Option<Vec<(String, String)>> {
    let mut reader = Reader::from_str(std::str::from_utf8(body).ok()?);
    let mut found: Vec<(String, String)> = Vec::new();
    let mut open = false;
    loop {
        match reader.read_event().ok()? {
            Event::Start(start) => {
                let name = start.local_name().as_ref().to_owned();
                open = names.contains(&name.as_str());
                if open {
                    found.push((name, String::new()));
                }
            }
            Event::Text(text) if open => {
                if let Some((_, all)) = found.last_mut() {
                    all.push_str(&text);
                }
            }
            Event::GeneralRef(reference) if open => {
                let character = match reference.resolve_char_ref().ok()? {
                    Some(character) => character,
                    None => match &*reference {
                        "amp" => '&',
                        "lt" => '<',
                        "gt" => '>',
                        "quot" => '"',
                        "apos" => '\'',
                        _ => return None,
                    },
                };
                if let Some((_, all)) = found.last_mut() {
                    all.push(character);
                }
            }
            Event::End(_) => open = false,
            Event::Eof => return Some(found),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_of_a_list_of_versions_are_read_in_their_order() {
        let body = br#"<?xml version="1.0"?><ListVersionsResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">
            <IsTruncated>false</IsTruncated><Version><Key>a&amp;b&#x2f;c</Key><VersionId>1</VersionId></Version>
            <DeleteMarker><Key>a</Key><VersionId>null</VersionId><Owner><ID>x</ID></Owner></DeleteMarker></ListVersionsResult>"#;
        let found = texts(body, &["Key", "VersionId"]).unwrap();
        let found: Vec<_> = found.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
        assert_eq!(found, [("Key", "a&b/c"), ("VersionId", "1"), ("Key", "a"), ("VersionId", "null")]);
    }

    #[test]
    fn what_is_no_xml_gives_no_texts_and_no_code() {
        assert_eq!(texts(b"<a><b></a>", &["b"]), None);
        assert_eq!(code(b"\xff<Code>"), "");
        assert_eq!(code(b"<Error><Code>Slow\nDown;</Code></Error>"), "SlowDown");
    }
}
