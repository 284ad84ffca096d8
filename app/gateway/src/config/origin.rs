use std::{fmt, str::FromStr};

use axum::http::HeaderValue;

/// An origin of web pages, as browsers name it: scheme, host, and a port that is not the usual.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin(HeaderValue);

/// Not an origin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an origin is a scheme and a host, such as https://studio.example; `*` is none")]
pub struct NotAnOrigin;

impl Origin {
    /// As a header holds it.
    pub fn header(&self) -> HeaderValue {
        self.0.clone()
    }
}

impl FromStr for Origin {
    type Err = NotAnOrigin;

    fn from_str(text: &str) -> Result<Self, NotAnOrigin> {
        let host = ["https://", "http://"].iter().find_map(|scheme| text.strip_prefix(scheme));
        let host = host.ok_or(NotAnOrigin)?;
        let fits = |byte: u8| {
            byte.is_ascii_lowercase() || byte.is_ascii_digit() || b".-:[]".contains(&byte)
        };
        if host.is_empty() || !host.bytes().all(fits) {
            return Err(NotAnOrigin);
        }
        HeaderValue::from_str(text).map(Self).map_err(|_| NotAnOrigin)
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.0.to_str().unwrap_or_default()) // it was read from a text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everybody_is_no_origin() {
        for wrong in
            ["*", "", "https://", "studio.example", "https://a.example/", "https://*", "null"]
        {
            assert!(wrong.parse::<Origin>().is_err(), "{wrong}");
        }
        assert_eq!("http://[::1]:3000".parse::<Origin>().unwrap().to_string(), "http://[::1]:3000");
    }
}
