use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use axum::http::Method;
use matchit::Router;
use serde::Deserialize;

use crate::{
    canonical_path::{canonical_path, folded_path},
    error::PaywallError,
    faults::{Fault, RouteFaults},
    route::{PaidRoute, RouteEntry},
    upstream_url::UpstreamUrl,
};

/// Paid and free routes of a model server; requests to other routes are rejected.
#[derive(Clone)]
pub struct PaidRoutes {
    upstream: Option<UpstreamUrl>,
    routes: Vec<Arc<PaidRoute>>,
    /// Free routes: methods and paths.
    free: Vec<(Method, String)>,
    by_path: Router<PathEntry>,
    /// Paths of the table by their folded form: how a server reads them that ignores case and a
    /// slash at the end.
    by_folded_path: Router<BTreeSet<String>>,
}

/// Methods of one path.
#[derive(Clone)]
struct PathEntry {
    path: String,
    ways: Vec<(Method, RouteMatch)>,
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
        let mut free = Vec::new();
        for (number, entry) in (1..).zip(file.free) {
            match entry.method.parse::<Method>() {
                Ok(method) => {
                    free.push((method.clone(), entry.path.clone()));
                    ways.entry(entry.path).or_default().push((method, RouteMatch::Free));
                }
                Err(_) => faults.add(&format!("free {number}"), "`method` is invalid"),
            }
        }
        let mut folded = BTreeMap::<String, BTreeSet<String>>::new();
        for path in ways.keys() {
            folded.entry(folded_path(path)).or_default().insert(path.clone());
        }
        let (mut by_path, mut by_folded_path) = (Router::new(), Router::new());
        for (path, paths) in folded {
            if let Err(error) = by_folded_path.insert(path.clone(), paths) {
                faults.add(&path, format!("for servers that ignore case: {error}"));
            }
        }
        for (path, ways) in ways {
            let mut methods: Vec<_> = ways.iter().map(|(method, _)| method.as_str()).collect();
            methods.sort_unstable();
            if methods.windows(2).any(|two| two[0] == two[1]) {
                faults.add(&path, "is listed twice with the same method");
            }
            let literal = path.split('/').filter(|segment| !segment.contains('{'));
            if !literal.clone().all(|text| canonical_path(&format!("/{text}")).is_some()) {
                faults.add(&path, "has a segment that two servers may read differently");
            }
            let entry = PathEntry { path: path.clone(), ways };
            if let Err(error) = by_path.insert(path.clone(), entry) {
                faults.add(&path, error);
            }
        }
        faults.or(Self { upstream: file.upstream, routes, free, by_path, by_folded_path })
    }

    /// Returns the URL of the model server if the file names one.
    pub fn upstream(&self) -> Option<&UpstreamUrl> {
        self.upstream.as_ref()
    }

    /// Returns the paid routes in the order of the file.
    pub fn paid(&self) -> &[Arc<PaidRoute>] {
        &self.routes
    }

    /// Returns whether a path is in the table, with any method.
    pub fn has_path(&self, path: &str) -> bool {
        self.by_path.at(path).is_ok()
    }

    /// Returns the maximum size of a request's body on any paid route.
    pub fn most_request_bytes(&self) -> usize {
        let longest = self.routes.iter().map(|route| route.most_request_bytes).max();
        longest.unwrap_or_default()
    }

    /// Returns free routes that cover the path of a priced one: a request that the table reads as free
    /// may be the priced one to a model server that reads paths in another way.
    pub fn warnings(&self) -> Vec<Fault> {
        let mut warnings = Vec::new();
        for (method, path) in &self.free {
            for paid in self.routes.iter().filter(|paid| overlaps(path, &paid.path)) {
                let what = format!("is free and covers the priced route {}", paid.path);
                warnings.push(Fault { key: format!("{method} {path}"), what });
            }
        }
        warnings
    }

    /// Finds the route of a request. Returns it with the path to forward.
    ///
    /// # Errors
    /// [`PaywallError::NotFound`], [`PaywallError::MethodNotAllowed`], or
    /// [`PaywallError::InvalidPath`] if servers may resolve the path to another one, or to another
    /// route of the table.
    pub(crate) fn find(
        &self,
        method: &Method,
        path: &str,
    ) -> Result<(RouteMatch, String), PaywallError> {
        let ambiguous = || PaywallError::InvalidPath(path.to_owned());
        let canonical = canonical_path(path).ok_or_else(ambiguous)?;
        let entry = self.by_path.at(&canonical).map_err(|_| PaywallError::NotFound)?.value;
        let folded = folded_path(&canonical);
        let folded = self.by_folded_path.at(&folded).map(|found| found.value);
        if !folded.is_ok_and(|paths| paths.contains(&entry.path)) {
            return Err(ambiguous());
        }
        let way = entry.ways.iter().find(|(takes, _)| takes == method);
        let way = way.map(|(_, way)| way.clone()).ok_or(PaywallError::MethodNotAllowed)?;
        Ok((way, canonical))
    }
}

/// Returns whether two paths of a table have a request in common.
fn overlaps(one: &str, other: &str) -> bool {
    let mut one = one.split('/');
    let mut other = other.split('/');
    loop {
        match (one.next(), other.next()) {
            (None, None) => return true,
            (Some(segment), Some(_)) | (Some(_), Some(segment)) if segment.starts_with("{*") => {
                return true;
            }
            (Some(one), Some(other)) => {
                let is_open = one.contains('{') || other.contains('{');
                if !is_open && !one.eq_ignore_ascii_case(other) {
                    return false;
                }
            }
            (None, Some(_)) | (Some(_), None) => return false,
        }
    }
}

impl std::fmt::Debug for PaidRoutes {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut shown = formatter.debug_struct("PaidRoutes");
        shown.field("upstream", &self.upstream).field("routes", &self.routes).finish()
    }
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
        assert!(matches!(routes.find(&Method::POST, "/images"), Ok((RouteMatch::Paid(_), _))));
        assert!(matches!(routes.find(&Method::GET, "/files/a/b"), Ok((RouteMatch::Free, _))));
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

    const WILD: &str = "[[free]]\nmethod = \"POST\"\npath = \"/{*rest}\"\n";

    #[test]
    fn encoded_path_has_same_price() {
        let routes = read(&(route("units = { fixed = 1 }") + WILD)).unwrap();
        for path in ["/images", "/%69mages", "/im%61ges"] {
            let (way, canonical) = routes.find(&Method::POST, path).unwrap();
            assert!(matches!(way, RouteMatch::Paid(_)), "{path}");
            assert_eq!(canonical, "/images");
        }
        // A server that ignores case, slashes or parameters would answer with the priced route.
        for path in ["/IMAGES", "/images/", "/images;x", "/images%3Fx", "/images%2F"] {
            let refused = routes.find(&Method::POST, path);
            assert!(matches!(refused, Err(PaywallError::InvalidPath(_))), "{path}");
        }
        assert!(matches!(routes.find(&Method::POST, "/other"), Ok((RouteMatch::Free, _))));
    }

    #[test]
    fn path_variant_keeps_expensive_price() {
        let cheap = route("units = { fixed = 1 }").replace("/images", "/models/{model}");
        let dear = route("units = { fixed = 100 }").replace("/images", "/models/big");
        let routes = read(&(cheap + &dear)).unwrap();
        let units = |path: &str| match routes.find(&Method::POST, path) {
            Ok((RouteMatch::Paid(route), _)) => Some(route.most_units),
            _ => None,
        };
        assert_eq!([units("/models/small"), units("/models/%62ig")], [Some(1), Some(100)]);
        assert_eq!([units("/models/BIG"), units("/models/big/")], [None, None]);
    }

    #[test]
    fn free_route_over_priced_one_is_warned_of() {
        let routes = read(&(route("units = { fixed = 1 }") + WILD)).unwrap();
        let warnings = routes.warnings();
        assert_eq!(warnings.len(), 1);
        assert_eq!(warnings[0].key, "POST /{*rest}");
        let apart = "[[free]]\nmethod = \"GET\"\npath = \"/files/{*rest}\"\n";
        let routes = read(&(route("units = { fixed = 1 }") + apart)).unwrap();
        assert!(routes.warnings().is_empty());
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
            ("units = { fixed = 1 }\nanswer = { status = [404] }", "answer.status"),
            ("units = { fixed = 1 }\nanswer = { lacks = \"error\" }", "answer.lacks"),
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
        let example = include_str!("../../../docs/examples/paywall.toml");
        assert!(read(example).is_err(), "WORK is no address");
        let routes = read(&example.replace("\"WORK\"", &format!("\"{WORK}\""))).unwrap();
        assert_eq!(routes.paid().len(), 5);
        assert!(routes.upstream().is_some());
    }

    #[test]
    fn fixed_units_set_maximum() {
        let routes = read(&route("units = { fixed = 3 }")).unwrap();
        assert_eq!(routes.paid()[0].most_units, 3);
    }
}
