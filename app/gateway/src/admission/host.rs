use axum::http::{Request, Version, header::HOST};

/// Extension of a request whose `Host` is missing or repeated (RFC 9112, section 3.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidHost;

impl InvalidHost {
    /// Returns `None` for a request that names one host.
    pub fn of<B>(request: &Request<B>) -> Option<Self> {
        let is_valid = match request.headers().get_all(HOST).iter().count() {
            0 => request.version() < Version::HTTP_11,
            count => count == 1,
        };
        (!is_valid).then_some(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_or_repeated_host_is_invalid() {
        let of = |version, hosts: &[&str]| {
            let request = Request::get("/healthz").version(version);
            let request = hosts.iter().fold(request, |request, host| request.header(HOST, *host));
            InvalidHost::of(&request.body(()).unwrap())
        };
        assert_eq!(of(Version::HTTP_11, &["a.example"]), None);
        assert_eq!(of(Version::HTTP_10, &[]), None);
        assert_eq!(of(Version::HTTP_11, &[]), Some(InvalidHost));
        assert_eq!(of(Version::HTTP_11, &["a.example", "b.example"]), Some(InvalidHost));
        assert_eq!(of(Version::HTTP_10, &["a.example", "a.example"]), Some(InvalidHost));
    }
}
