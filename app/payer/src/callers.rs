use std::{
    collections::HashMap,
    fs::{self, OpenOptions},
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::Path,
    sync::Arc,
};

use axum::http::{HeaderMap, HeaderName, header};
use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use rand::RngCore;
use solana_sha256_hasher::hash;

use crate::{problem::PayerError, settings::Settings};

/// Callers by the digest of their token, so that a look-up takes the same time for every token.
pub struct Callers(HashMap<[u8; 32], Caller>);

/// Name of a caller of the service, whose spending has a budget of its own.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Caller(Arc<str>);

impl From<&str> for Caller {
    fn from(name: &str) -> Self {
        Self(name.into())
    }
}

impl std::ops::Deref for Caller {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for Caller {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// Headers that may have a token. Others are passed to the target.
const TOKEN_HEADERS: [HeaderName; 3] =
    [header::AUTHORIZATION, HeaderName::from_static("x-api-key"), header::PROXY_AUTHORIZATION];
/// Minimum length of a token, bytes.
const MIN_BYTES: usize = 32;

impl Callers {
    /// Name of the file with the local caller's token, in the state folder.
    pub const LOCAL_TOKEN: &str = "token";

    /// Reads the tokens of all callers, and creates missing ones.
    ///
    /// # Errors
    /// [`PayerError::StateFailed`].
    pub fn open(settings: &Settings, state: &Path) -> Result<Self, PayerError> {
        let own = settings.callers.iter();
        let own = own.map(|(name, caller)| (name.as_str(), caller.token_file.clone()));
        let local = (Settings::LOCAL_CALLER, state.join(Self::LOCAL_TOKEN));
        let mut callers = HashMap::new();
        for (name, path) in own.chain([local]) {
            let token = read_or_create(&path).map_err(|error| PayerError::state(&path, error))?;
            let is_new = callers.insert(digest(&token), Caller::from(name)).is_none();
            if !is_new {
                return Err(PayerError::state(&path, "another caller has the same token"));
            }
        }
        Ok(Self(callers))
    }

    /// Returns the caller whose token a header has, and removes that header.
    ///
    /// # Errors
    /// [`PayerError::Unauthorized`].
    pub fn take(&self, headers: &mut HeaderMap) -> Result<Caller, PayerError> {
        let found =
            TOKEN_HEADERS.into_iter().find_map(|name| self.find(headers.get(name)?.to_str().ok()?));
        let caller = found.ok_or(PayerError::Unauthorized)?;
        // A client may send its token twice.
        for name in TOKEN_HEADERS {
            let text = headers.get(&name).and_then(|value| value.to_str().ok());
            if text.is_some_and(|text| self.find(text).is_some()) {
                headers.remove(name);
            }
        }
        Ok(caller)
    }

    /// Returns the caller of a browser, which sends the token as the password of basic authentication.
    pub fn of_browser(&self, headers: &HeaderMap) -> Option<Caller> {
        let text = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
        let decoded = BASE64.decode(text.strip_prefix("Basic ")?.trim()).ok()?;
        let (_, password) = std::str::from_utf8(&decoded).ok()?.split_once(':')?;
        self.0.get(&digest(password)).cloned()
    }

    fn find(&self, text: &str) -> Option<Caller> {
        let scheme = text.get(..7).filter(|scheme| scheme.eq_ignore_ascii_case("bearer "));
        let token = if scheme.is_some() { &text[7..] } else { text };
        self.0.get(&digest(token.trim())).cloned()
    }
}

fn digest(token: &str) -> [u8; 32] {
    hash(token.as_bytes()).to_bytes()
}

/// Reads a token, or creates it in a file that only its owner can read.
fn read_or_create(path: &Path) -> io::Result<String> {
    match fs::read_to_string(path) {
        Ok(text) => {
            let token = text.trim();
            let is_long = token.len() >= MIN_BYTES;
            let is_visible = token.bytes().all(|byte| byte.is_ascii_graphic());
            if is_long && is_visible {
                return Ok(token.to_owned());
            }
            let what = "expected a token of at least 32 visible ASCII characters";
            Err(io::Error::new(io::ErrorKind::InvalidData, what))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let mut bytes = [0; 32];
            rand::rng().fill_bytes(&mut bytes);
            let token = hex::encode(bytes);
            let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
            let mut file = file?;
            file.write_all(format!("{token}\n").as_bytes())?;
            file.sync_all()?;
            Ok(token)
        }
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn headers(pairs: &[(&str, &str)]) -> HeaderMap {
        let pairs = pairs.iter();
        pairs.map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
    }

    #[test]
    fn token_is_created_once_and_private() {
        let folder = tempfile::tempdir().unwrap();
        let callers = Callers::open(&Settings::default(), folder.path()).unwrap();
        let path = folder.path().join(Callers::LOCAL_TOKEN);
        let token = fs::read_to_string(&path).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let again = Callers::open(&Settings::default(), folder.path()).unwrap();
        for callers in [callers, again] {
            let bearer = format!("Bearer {}", token.trim());
            let mut sent = headers(&[("authorization", &bearer)]);
            assert_eq!(&*callers.take(&mut sent).unwrap(), "local");
            assert!(sent.is_empty());
        }
        fs::write(&path, "short").unwrap();
        assert!(Callers::open(&Settings::default(), folder.path()).is_err());
    }

    #[test]
    fn headers_of_the_target_are_kept() {
        let folder = tempfile::tempdir().unwrap();
        let callers = Callers::open(&Settings::default(), folder.path()).unwrap();
        let token = fs::read_to_string(folder.path().join("token")).unwrap();
        let own = [("x-api-key", token.trim()), ("authorization", "Bearer of-the-target")];
        let mut sent = headers(&own);
        assert!(callers.take(&mut sent).is_ok());
        assert_eq!(sent, headers(&own[1..]));
        let twice = format!("bearer {token}");
        let mut sent = headers(&[own[0], ("authorization", twice.trim())]);
        assert!(callers.take(&mut sent).is_ok() && sent.is_empty());
        for other in [&[][..], &own[1..], &[("x-api-key", "")], &[("authorization", "Basic eA==")]]
        {
            let taken = callers.take(&mut headers(other));
            assert!(matches!(taken, Err(PayerError::Unauthorized)));
        }
    }

    #[test]
    fn browser_sends_the_token_as_password() {
        let folder = tempfile::tempdir().unwrap();
        let callers = Callers::open(&Settings::default(), folder.path()).unwrap();
        let token = fs::read_to_string(folder.path().join("token")).unwrap();
        let basic =
            |text: String| headers(&[("authorization", &format!("Basic {}", BASE64.encode(text)))]);
        assert!(callers.of_browser(&basic(format!("me:{}", token.trim()))).is_some());
        assert!(callers.of_browser(&basic("me:other".to_owned())).is_none());
        // Only pages take it: other sites could have a browser send it.
        let mut sent = basic(format!("me:{}", token.trim()));
        assert!(callers.take(&mut sent).is_err());
    }
}
