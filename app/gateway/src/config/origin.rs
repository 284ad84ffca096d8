use std::{fmt, str::FromStr};

use axum::http::HeaderValue;
use reqwest::Url;

/// Web origin as browsers send it: scheme, host, and a port that is not the default.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin(HeaderValue);

/// Error returned when a text is not a web origin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("invalid origin: expected scheme://host; wildcards are not supported")]
pub struct ParseOriginError;

impl Origin {
    /// Returns the header value.
    pub fn header(&self) -> HeaderValue {
        self.0.clone()
    }
}

impl FromStr for Origin {
    type Err = ParseOriginError;

    fn from_str(text: &str) -> Result<Self, ParseOriginError> {
        let url: Url = text.parse().map_err(|_| ParseOriginError)?;
        let is_web = ["http", "https"].contains(&url.scheme());
        // Browsers send the normalized form, so no other form can match.
        if !is_web || text.contains('*') || url.origin().ascii_serialization() != text {
            return Err(ParseOriginError);
        }
        HeaderValue::from_str(text).map(Self).map_err(|_| ParseOriginError)
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.0.to_str().unwrap_or_default()) // parsed from a text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcard_origin_is_rejected() {
        for wrong in
            ["*", "", "https://", "studio.example", "https://a.example/", "https://*", "null"]
        {
            assert!(wrong.parse::<Origin>().is_err(), "{wrong}");
        }
        assert_eq!("http://[::1]:3000".parse::<Origin>().unwrap().to_string(), "http://[::1]:3000");
    }
}
