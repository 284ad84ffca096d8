//! What is true of several operations, or of every one, added to its description.

use std::collections::BTreeMap;

use utoipa::{
    IntoResponses,
    openapi::{
        Content, OpenApi, Ref, RefOr, Response, ResponseBuilder,
        path::Operation,
        security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme},
    },
};

const SCHEME: &str = "api_key";

/// Problems of whatever pays for a generation, or keeps room for one.
pub struct MeteringProblems;

/// Problems of whatever lands transactions because a payer asks.
pub struct PayerSettlingProblems;

/// Problems of whatever lands transactions because an operator asks.
pub struct SettlingProblems;

impl IntoResponses for MeteringProblems {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        problems(&["400", "402", "404", "409", "413", "415", "421", "422", "503"])
    }
}

impl IntoResponses for PayerSettlingProblems {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        let mut responses = SettlingProblems::responses();
        responses.extend(problems(&["401", "403", "413", "415", "429"]));
        responses
    }
}

impl IntoResponses for SettlingProblems {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        problems(&["400", "404", "409", "421", "502", "503", "504"])
    }
}

/// Operations that anybody may ask for, as often as an address may.
pub fn limited(mut document: OpenApi) -> OpenApi {
    operations(&mut document).for_each(|operation| answers(operation, &["408", "429"]));
    document
}

/// Operations that gateways may keep to holders of API keys.
pub fn keyed(mut document: OpenApi) -> OpenApi {
    for operation in operations(&mut document) {
        answers(operation, &["401", "403", "408", "429"]);
        let nothing = SecurityRequirement::default();
        let key = SecurityRequirement::new::<_, [&str; 0], &str>(SCHEME, []);
        operation.security = Some(vec![nothing, key]);
    }
    let components = document.components.get_or_insert_default();
    let scheme = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build();
    components.add_security_scheme(SCHEME, SecurityScheme::Http(scheme));
    document
}

fn operations(document: &mut OpenApi) -> impl Iterator<Item = &mut Operation> {
    document.paths.paths.values_mut().flat_map(|path| {
        [&mut path.get, &mut path.post, &mut path.put, &mut path.delete].into_iter().flatten()
    })
}

/// Adds problems that are not described yet.
fn answers(operation: &mut Operation, statuses: &[&str]) {
    for status in statuses {
        let responses = &mut operation.responses.responses;
        responses.entry((*status).to_owned()).or_insert_with(|| RefOr::T(problem()));
    }
}

fn problems(statuses: &[&str]) -> BTreeMap<String, RefOr<Response>> {
    statuses.iter().map(|status| ((*status).to_owned(), RefOr::T(problem()))).collect()
}

fn problem() -> Response {
    let content = Content::new(Some(Ref::from_schema_name("Problem")));
    ResponseBuilder::new().content("application/problem+json", content).build()
}
