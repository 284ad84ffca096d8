use std::{collections::BTreeMap, sync::Arc};

use axum::http::Method;
use matchit::Router;
use serde::Deserialize;

use crate::{
    error::PaywallError,
    faults::RouteFaults,
    route::{PaidRoute, RouteEntry},
    upstream_url::UpstreamUrl,
};

/// Paid and free routes of a model server; requests to other routes are rejected.
#[derive(Clone)]
pub struct PaidRoutes {
    upstream: Option<UpstreamUrl>,
    routes: Vec<Arc<PaidRoute>>,
    by_path: Router<Vec<(Method, RouteMatch)>>,
}

/// Result of a route lookup.
#[derive(Clone, Debug)]
pub enum RouteMatch {
    /// The route has a price.
    Paid(Arc<PaidRoute>),
    /// The route is free.
    Free,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RoutesFile {
    upstream: Option<UpstreamUrl>,
    #[serde(default, rename = "route")]
    routes: Vec<RouteEntry>,
    #[serde(default, rename = "free")]
    free: Vec<FreeEntry>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct FreeEntry {
    method: String,
    path: String,
}

impl PaidRoutes {
    /// Parses the text of a TOML file; `place` names the file in errors.
    ///
    /// # Errors
    /// All faults of the file.
    pub fn read(text: &str, place: &str) -> Result<Self, RouteFaults> {
        let mut faults = RouteFaults::new(place);
        let file: RoutesFile = match toml::from_str(text) {
            Ok(file) => file,
            Err(error) => {
                faults.add("paywall.routes", error.to_string().trim());
                return Err(faults);
            }
        };
        if file.routes.is_empty() {
            faults.add("paywall.routes", "has no [[route]]");
        }
        let (mut routes, mut ways) =
            (Vec::new(), BTreeMap::<String, Vec<(Method, RouteMatch)>>::new());
        for (number, entry) in (1..).zip(file.routes) {
            match entry.read() {
                Ok(route) => {
                    let route = Arc::new(route);
                    let way = (route.method.clone(), RouteMatch::Paid(route.clone()));
                    ways.entry(route.path.clone()).or_default().push(way);
                    routes.push(route);
                }
                Err(what) => faults.add(&format!("route {number}"), what),
            }
        }
        for (number, entry) in (1..).zip(file.free) {
            match entry.method.parse() {
                Ok(method) => ways.entry(entry.path).or_default().push((method, RouteMatch::Free)),
                Err(_) => faults.add(&format!("free {number}"), "`method` is invalid"),
            }
        }
        let mut by_path = Router::new();
        for (path, ways) in ways {
            let mut methods: Vec<_> = ways.iter().map(|(method, _)| method.as_str()).collect();
            methods.sort_unstable();
            if methods.windows(2).any(|two| two[0] == two[1]) {
                faults.add(&path, "is listed twice with the same method");
            }
            if let Err(error) = by_path.insert(path.clone(), ways) {
                faults.add(&path, error);
            }
        }
        faults.or(Self { upstream: file.upstream, routes, by_path })
    }

    /// Returns the URL of the model server if the file names one.
    pub fn upstream(&self) -> Option<&UpstreamUrl> {
        self.upstream.as_ref()
    }

    /// Returns the paid routes in the order of the file.
    pub fn paid(&self) -> &[Arc<PaidRoute>] {
        &self.routes
    }

    /// Returns the maximum size of a request's body on any paid route.
    pub fn most_request_bytes(&self) -> usize {
        let longest = self.routes.iter().map(|route| route.most_request_bytes).max();
        longest.unwrap_or_default()
    }

    /// Finds the route of a request.
    ///
    /// # Errors
    /// [`PaywallError::NotFound`], [`PaywallError::MethodNotAllowed`], or
    /// [`PaywallError::InvalidPath`] if servers may resolve the path to another one.
    pub(crate) fn find(&self, method: &Method, path: &str) -> Result<RouteMatch, PaywallError> {
        if !is_plain(path) {
            return Err(PaywallError::InvalidPath(path.to_owned()));
        }
        let ways = self.by_path.at(path).map_err(|_| PaywallError::NotFound)?.value;
        let way = ways.iter().find(|(takes, _)| takes == method);
        way.map(|(_, way)| way.clone()).ok_or(PaywallError::MethodNotAllowed)
    }
}

impl std::fmt::Debug for PaidRoutes {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut shown = formatter.debug_struct("PaidRoutes");
        shown.field("upstream", &self.upstream).field("routes", &self.routes).finish()
    }
}

/// Returns whether every server resolves this path to itself.
fn is_plain(path: &str) -> bool {
    let lower = path.to_ascii_lowercase();
    let hides =
        ["//", "\\", "%2e", "%2f", "%5c", "%00"].iter().any(|hidden| lower.contains(hidden));
    // Some servers cut off what follows a semicolon.
    let is_dots = |part: &str| [".", ".."].contains(&part.split(';').next().unwrap_or_default());
    path.starts_with('/') && !hides && !path.split('/').any(is_dots)
}

#[cfg(test)]
mod tests {
    use super::*;

    const WORK: &str = "BvFbpq9Euag2k6ihhUgVfvDNJnYmiA5u8r1xgoZUJE3w";

    fn route(more: &str) -> String {
        format!(
            "[[route]]\nmethod = \"POST\"\npath = \"/images\"\nwork = \"{WORK}\"\n\
             use = \"generate\"\n{more}\n"
        )
    }

    fn read(text: &str) -> Result<PaidRoutes, RouteFaults> {
        PaidRoutes::read(text, "paywall.toml")
    }

    #[test]
    fn unlisted_route_is_rejected() {
        let text = "upstream = \"http://127.0.0.1:9\"\n".to_owned()
            + &route("units = { fixed = 1 }")
            + "[[free]]\nmethod = \"GET\"\npath = \"/files/{*rest}\"\n";
        let routes = read(&text).unwrap();
        assert!(matches!(routes.find(&Method::POST, "/images"), Ok(RouteMatch::Paid(_))));
        assert!(matches!(routes.find(&Method::GET, "/files/a/b"), Ok(RouteMatch::Free)));
        let refused = routes.find(&Method::GET, "/images");
        assert!(matches!(refused, Err(PaywallError::MethodNotAllowed)));
        for other in ["/", "/images/", "/Images", "/images/1", "/v1/images"] {
            let refused = routes.find(&Method::POST, other);
            assert!(matches!(refused, Err(PaywallError::NotFound)), "{other}");
        }
    }

    #[test]
    fn ambiguous_path_is_rejected() {
        let free = "[[free]]\nmethod = \"POST\"\npath = \"/files/{*rest}\"\n";
        let routes = read(&(route("units = { fixed = 1 }") + free)).unwrap();
        for path in [
            "/files/../images",
            "/files/./../images",
            "/files/%2e%2e/images",
            "/files/..;a=b/images",
            "/files/..%2fimages",
            "/files/..\\images",
            "/files//../images",
            "//images",
        ] {
            let refused = routes.find(&Method::POST, path);
            assert!(matches!(refused, Err(PaywallError::InvalidPath(..))), "{path}");
        }
    }

    #[test]
    fn contradictory_route_is_rejected() {
        for (wrong, word) in [
            ("", "units"),
            ("units = { fixed = 0 }", "above zero"),
            ("units = { fixed = 1 }\nper = 2", "per"),
            ("units = { header = \"no header\" }", "header"),
            ("units = { json = \"usage\" }", "pointer"),
            ("units = { count = \"chunks\" }", "chunks"),
            ("units = { count = \"lines\" }\nper = 0", "per"),
            ("units = { header = \"x-units\" }\nmissing = 2", "missing"),
            ("units = { header = \"x-units\" }\nstream = true", "count"),
            ("units = { fixed = 1 }\nanswer_seconds = 3600", "answer_seconds"),
            ("units = { fixed = 1 }\nsurprise = 1", "surprise"),
        ] {
            let faults = read(&route(wrong)).unwrap_err().to_string();
            assert!(faults.contains(word), "{wrong}: {faults}");
        }
        let twice = route("units = { fixed = 1 }").repeat(2);
        assert!(read(&twice).unwrap_err().to_string().contains("twice"));
        assert!(read("").unwrap_err().to_string().contains("[[route]]"));
        for wrong in ["ftp://a", "http://user:pass@a", "http://a/?q", "a", "http://a/#b"] {
            let text = format!("upstream = \"{wrong}\"\n") + &route("units = { fixed = 1 }");
            assert!(read(&text).is_err(), "{wrong}");
        }
    }

    #[test]
    fn documented_example_is_valid() {
        let routes = read(include_str!("../../../docs/examples/paywall.toml")).unwrap();
        assert_eq!(routes.paid().len(), 4);
        assert!(routes.upstream().is_some());
    }

    #[test]
    fn fixed_units_set_maximum() {
        let routes = read(&route("units = { fixed = 3 }")).unwrap();
        assert_eq!(routes.paid()[0].most_units, 3);
    }
}
