//! What is true of every operation, added to its description.

use utoipa::openapi::{
    Content, OpenApi, Ref, RefOr, Response, ResponseBuilder,
    path::Operation,
    security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme},
};

const SCHEME: &str = "api_key";

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

fn problem() -> Response {
    let content = Content::new(Some(Ref::from_schema_name("Problem")));
    ResponseBuilder::new().content("application/problem+json", content).build()
}
