//! A 402 for people: what a request costs, under which terms, and how to pay.

use std::sync::LazyLock;

use axum::{
    body::Body,
    http::{
        HeaderValue,
        header::{
            CACHE_CONTROL, CONTENT_LENGTH, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY,
            X_CONTENT_TYPE_OPTIONS,
        },
    },
    response::Response,
};
use base64::{Engine, prelude::BASE64_STANDARD};
use motif_sdk::{
    client::CatalogueEntry,
    gateway::wire::PriceTag,
    terms::{Denomination, summary},
};
use solana_sha256_hasher::hash;

use crate::{catalogue::Catalogue, html::escaped};

const STYLE: &str = "body{font:1rem/1.5 system-ui,sans-serif;max-width:42rem;margin:2rem auto;padding:0 1rem;\
    color-scheme:light dark}pre{white-space:pre-wrap;padding:1rem;border:1px solid}\
    dt{font-weight:600}dd{margin:0 0 .75rem;overflow-wrap:anywhere}";
/// The page has one style and nothing else.
static POLICY: LazyLock<HeaderValue> = LazyLock::new(|| {
    let digest = BASE64_STANDARD.encode(hash(STYLE.as_bytes()).to_bytes());
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'; \
         frame-ancestors 'none'"
    );
    HeaderValue::try_from(policy).unwrap_or(HeaderValue::from_static("default-src 'none'"))
});

/// Returns the response as a page; without a price tag as it is. `url` is the requested one.
pub async fn payment_page(catalogue: &Catalogue, response: Response, url: &str) -> Response {
    let Some(tag) = response.extensions().get::<PriceTag>().cloned() else { return response };
    // The terms are shown if the cluster answers.
    let entry = catalogue.entry(&tag.quote.work.0).await.ok().flatten();
    let page = page(&tag, entry.as_ref(), url);
    let (mut parts, _) = response.into_parts();
    for (name, value) in [
        (CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8")),
        (CONTENT_SECURITY_POLICY, POLICY.clone()),
        (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
        (REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
        (CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ] {
        parts.headers.insert(name, value);
    }
    parts.headers.remove(CONTENT_LENGTH);
    Response::from_parts(parts, Body::from(page))
}

fn page(tag: &PriceTag, entry: Option<&CatalogueEntry>, url: &str) -> String {
    let quote = &tag.quote;
    let denomination = Denomination::known(&quote.currency.0);
    let amount = |amount: u64| match &denomination {
        Some(known) => known.show(amount),
        None => format!("{amount} base units of {}", quote.currency),
    };
    let price = format!("{} a {}, fee included", amount(quote.price_with_fee.0), quote.unit);
    let units = match tag.fixed_units {
        Some(units) => format!("{units} {} for this request", quote.unit),
        None => format!("at most {} {} for this request", tag.most_units, quote.unit),
    };
    let title = entry.map(|entry| entry.work.title.clone()).filter(|title| !title.is_empty());
    let title = title.unwrap_or_else(|| "a licensed work".to_owned());
    let currency =
        denomination.clone().unwrap_or_else(|| Denomination::from_mint(&quote.currency.0, 0));
    let terms = entry.and_then(|entry| entry.terms.as_ref()).map(|published| {
        let words = escaped_lines(&summary(&published.terms.offer, &currency));
        format!("<h2>Terms</h2><pre>{words}</pre>")
    });
    let facts = [
        ("Work", quote.work.to_string()),
        ("Use", quote.licensed_use.to_string()),
        ("Price", price),
        ("Units", units),
        ("Terms", format!("number {}, digest {}", quote.terms_number, quote.terms_digest)),
        ("Operator", tag.operator.to_string()),
    ];
    let facts: String = facts
        .iter()
        .map(|(name, value)| format!("<dt>{name}</dt><dd>{}</dd>", escaped(value)))
        .collect();
    format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <title>402 Payment required: {title}</title><style>{STYLE}</style></head><body><main>\
         <h1>This answer is paid: {title}</h1><dl>{facts}</dl>{terms}\
         <h2>How to pay</h2><p>Run the command below, or send the request with a client of Motif or x402: the \
         response's headers have what they need.</p><pre>motif pay {url}</pre></main></body></html>",
        title = escaped(&title),
        terms = terms.unwrap_or_default(),
        url = escaped(url),
    )
}

/// Returns lines as content. Other hidden characters than line breaks are shown.
fn escaped_lines(text: &str) -> String {
    text.lines().map(escaped).collect::<Vec<_>>().join("\n")
}
