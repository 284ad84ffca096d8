//! OpenAPI descriptions: shared responses, and the routes that show the documents.

use std::collections::BTreeMap;

use axum::{
    Extension,
    body::Bytes,
    http::header::CONTENT_TYPE,
    response::{IntoResponse, Response as HttpResponse},
};
use serde_json::Value;
use utoipa::{
    IntoResponses,
    openapi::{
        Content, OpenApi, Ref, RefOr, Response, ResponseBuilder,
        path::Operation,
        security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme},
    },
};

const SCHEME: &str = "api_key";

/// Problem responses of routes that pay for generations or hold units.
pub struct MeteringProblems;

/// Problem responses of routes that verify or settle payments for other sellers.
pub struct FacilitatorProblems;

/// Problem responses of routes that settle on a payer's request.
pub struct PayerSettlementProblems;

/// Problem responses of routes that settle on an operator's request.
pub struct SettlementProblems;

impl IntoResponses for MeteringProblems {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        problems(&["400", "402", "404", "409", "413", "415", "421", "422", "503"])
    }
}

impl IntoResponses for FacilitatorProblems {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        problems(&["400", "404", "413", "415", "422", "503"])
    }
}

impl IntoResponses for PayerSettlementProblems {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        let mut responses = SettlementProblems::responses();
        responses.extend(problems(&["401", "403", "413", "415", "422", "429"]));
        responses
    }
}

impl IntoResponses for SettlementProblems {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        problems(&["400", "404", "409", "421", "502", "503", "504"])
    }
}

/// OpenAPI document of a router as JSON, among the router's extensions.
#[derive(Clone)]
pub struct Document(Bytes);

impl Document {
    /// Serializes a document.
    pub fn new(document: &OpenApi) -> Self {
        // Serializing into memory fails for maps with other keys than strings only.
        Self(serde_json::to_vec(document).unwrap_or_default().into())
    }
}

impl IntoResponse for Document {
    fn into_response(self) -> HttpResponse {
        ([(CONTENT_TYPE, "application/json")], self.0).into_response()
    }
}

/// Describes this interface.
#[utoipa::path(get, operation_id = "show_interface", path = "/openapi.json", responses((status = 200, body = Object)))]
pub async fn show(Extension(document): Extension<Document>) -> Document {
    document
}

/// Describes this interface.
#[utoipa::path(get, operation_id = "show_admin_interface", path = "/openapi.json", responses((status = 200, body = Object)))]
pub async fn show_admin(Extension(document): Extension<Document>) -> Document {
    document
}

/// Adds the problem responses of public routes.
pub fn with_public_problems(mut document: OpenApi) -> OpenApi {
    operations(&mut document).for_each(|operation| add_problems(operation, &["408", "429"]));
    document
}

/// Adds the problem responses and the security scheme of authenticated routes.
pub fn with_api_keys(mut document: OpenApi) -> OpenApi {
    for operation in operations(&mut document) {
        add_problems(operation, &["401", "403", "408", "429"]);
        let nothing = SecurityRequirement::default();
        let key = SecurityRequirement::new::<_, [&str; 0], &str>(SCHEME, []);
        operation.security = Some(vec![nothing, key]);
    }
    let components = document.components.get_or_insert_default();
    let scheme = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build();
    components.add_security_scheme(SCHEME, SecurityScheme::Http(scheme));
    document
}

/// Adds the maximum of every unsigned integer, which `format` does not state.
pub fn with_maximums(document: OpenApi) -> OpenApi {
    let mut value = serde_json::to_value(&document).unwrap_or_default();
    bound(&mut value);
    // The document was serialized from the same type.
    serde_json::from_value(value).unwrap_or(document)
}

fn bound(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            let most = match fields.get("format").and_then(Value::as_str) {
                Some("uint8") => Some(u32::from(u8::MAX)),
                Some("uint16") => Some(u32::from(u16::MAX)),
                Some("uint32") => Some(u32::MAX),
                _ => None,
            };
            if let Some(most) = most {
                fields.entry("maximum").or_insert(most.into());
            }
            fields.values_mut().for_each(bound);
        }
        Value::Array(values) => values.iter_mut().for_each(bound),
        _ => {}
    }
}

fn operations(document: &mut OpenApi) -> impl Iterator<Item = &mut Operation> {
    document.paths.paths.values_mut().flat_map(|path| {
        [&mut path.get, &mut path.post, &mut path.put, &mut path.delete].into_iter().flatten()
    })
}

/// Adds problem responses unless an operation describes them.
fn add_problems(operation: &mut Operation, statuses: &[&str]) {
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
