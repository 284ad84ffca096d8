use std::{fmt, path::PathBuf, str::FromStr};

use reqwest::Url;
use zeroize::Zeroizing;

use super::host::is_local;
use crate::chain::Endpoint;

/// Location of a store.
#[derive(Clone)]
pub enum StorePlace {
    /// File of one process; it is created if it does not exist.
    File(PathBuf),
    /// PostgreSQL database that several processes may share.
    Server(DatabaseUrl),
}

/// URL of a PostgreSQL database. `Debug` shows scheme and host only.
#[derive(Clone)]
pub struct DatabaseUrl {
    url: Zeroizing<String>,
    endpoint: Endpoint,
}

impl DatabaseUrl {
    const SCHEMES: [&str; 2] = ["postgres://", "postgresql://"];

    /// Returns the whole URL.
    pub(crate) fn whole(&self) -> &str {
        &self.url
    }

    /// Returns whether the server is on another machine, as far as the URL tells.
    pub(crate) fn is_remote(&self) -> bool {
        Url::parse(&self.url).is_ok_and(|url| !is_local(&url))
    }

    /// Returns whether connections are encrypted or refused.
    pub(crate) fn is_encrypted(&self) -> bool {
        let url = Url::parse(&self.url);
        let strict = ["require", "verify-ca", "verify-full"];
        url.is_ok_and(|url| {
            url.query_pairs().any(|(name, mode)| {
                ["sslmode", "ssl-mode"].contains(&&*name) && strict.contains(&&*mode)
            })
        })
    }

    /// Returns a text without the URL's secrets.
    pub(crate) fn scrub(&self, text: &str) -> String {
        self.endpoint.scrub(text)
    }
}

impl StorePlace {
    /// Returns the file of a file store.
    pub fn file(&self) -> Option<&PathBuf> {
        match self {
            Self::File(path) => Some(path),
            Self::Server(_) => None,
        }
    }

    /// Returns the URL of a server.
    pub(crate) fn server(&self) -> Option<&DatabaseUrl> {
        match self {
            Self::File(_) => None,
            Self::Server(url) => Some(url),
        }
    }
}

/// Error returned when a text is neither a database's URL nor a file's path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected a file, or a URL that begins with postgres:// or postgresql://")]
pub struct InvalidStore;

impl FromStr for StorePlace {
    type Err = InvalidStore;

    /// Parses a `postgres://` or `postgresql://` URL; any text without `://` is a file's path.
    fn from_str(text: &str) -> Result<Self, InvalidStore> {
        let is_url = DatabaseUrl::SCHEMES.iter().any(|scheme| text.starts_with(scheme));
        if !is_url {
            // A mistyped URL may hold a password, which is not shown as a file's name.
            return if text.contains("://") {
                Err(InvalidStore)
            } else {
                Ok(Self::File(text.into()))
            };
        }
        let url = Zeroizing::new(text.to_owned());
        Ok(Self::Server(DatabaseUrl { url, endpoint: Endpoint::new(text) }))
    }
}

impl From<PathBuf> for StorePlace {
    fn from(path: PathBuf) -> Self {
        Self::File(path)
    }
}

impl fmt::Display for StorePlace {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(formatter, "{}", path.display()),
            Self::Server(url) => write!(formatter, "{url:?}"),
        }
    }
}

impl fmt::Debug for StorePlace {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{self}")
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.endpoint.fmt(formatter)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn postgres_url_is_server_else_file() {
        let place = |text: &str| text.parse::<StorePlace>().unwrap();
        assert_eq!(place("a/b.sqlite").file(), Some(&PathBuf::from("a/b.sqlite")));
        assert!(place("postgres://127.0.0.1/motif").file().is_none());
        assert!(place("postgresql://127.0.0.1/motif").file().is_none());
    }

    #[test]
    fn database_password_is_hidden() {
        for url in [
            "postgres://motif:canary-canary@db.example/motif",
            "postgres://db.example:5432/motif?user=motif&password=canary-canary",
            "postgresql://motif:canary%2Dcanary@db.example/motif",
        ] {
            let place: StorePlace = url.parse().unwrap();
            let StorePlace::Server(database) = &place else { panic!("{place}") };
            let scrubbed = database.scrub(&format!("cannot connect to {url}"));
            for shown in [format!("{place} {place:?} {database:?}"), scrubbed] {
                assert!(!shown.contains("canary") && shown.contains("db.example"), "{shown}");
            }
        }
    }
}
