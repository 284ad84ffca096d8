use std::str::FromStr;

use serde::Deserialize;

/// URL of the model server behind a paywall. Set by the operator, never by a request.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct UpstreamUrl(String);

/// Error returned when a text is no [`UpstreamUrl`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("invalid server URL: expected http:// or https:// without user, query and fragment")]
pub struct InvalidUpstreamUrl;

impl UpstreamUrl {
    /// Returns the URL without a slash at the end.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the URL of a request target.
    pub(crate) fn join(&self, target: &str) -> String {
        format!("{}{target}", self.0)
    }
}

impl FromStr for UpstreamUrl {
    type Err = InvalidUpstreamUrl;

    fn from_str(text: &str) -> Result<Self, InvalidUpstreamUrl> {
        let url: reqwest::Url = text.parse().map_err(|_| InvalidUpstreamUrl)?;
        let is_plain = ["http", "https"].contains(&url.scheme())
            && url.has_host()
            && url.username().is_empty()
            && url.password().is_none()
            && url.query().is_none()
            && url.fragment().is_none();
        if is_plain {
            Ok(Self(text.trim_end_matches('/').to_owned()))
        } else {
            Err(InvalidUpstreamUrl)
        }
    }
}

impl TryFrom<String> for UpstreamUrl {
    type Error = InvalidUpstreamUrl;

    fn try_from(text: String) -> Result<Self, InvalidUpstreamUrl> {
        text.parse()
    }
}
